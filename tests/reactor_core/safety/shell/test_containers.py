"""What a container or another root sees of this machine."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.shell.containers import outside


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("docker run --rm -v /:/host alpine rm -rf /host/etc", "block"),
        ("docker run --rm alpine rm -rf /var/lib", "allow"),
        ("docker run --rm -v /srv:/x:ro alpine sh -c 'rm -rf /y'", "allow"),
        ("docker run --rm --mount type=bind,source=/home,target=/h alpine rm -rf /h", "block"),
        ("sudo chroot / rm -rf /home", "block"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict


def test_the_longest_mount_decides() -> None:
    roots = (("/a/b", "/srv"), ("/a", "/home"), ("/", "/tmp/x"))
    assert [outside(path, roots) for path in ("/a/b/c", "/a/c", "/etc", "/ab")] == [
        "/srv/c",
        "/home/c",
        "/tmp/x/etc",
        "/tmp/x/ab",
    ]
