"""Scripts that a shell is given."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.shell.scripts import is_harmless_source


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("sh -c 'bash -c \"rm -rf /var\"'", "block"),
        ("bash -s /srv <<< 'rm -rf \"$1\"'", "block"),
        ("bash -c 'rm -rf \"$0\"' /srv", "block"),
        ("bash -n scripts/wipe.sh", "allow"),
        ("bash ./install.sh", "confirm"),
        ("bash -lc 'rm -rf /srv'", "block"),
        ("sh <<< ls", "allow"),
        ("bash <(echo rm -rf /srv)", "block"),
        ("bash --norc -o pipefail -c 'rm -rf /srv'", "block"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict


class Folder:
    """A disk that holds one script."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, path: str, limit: int) -> bytes | None:
        return self.text.encode()[:limit] if path == "/home/dev/project/x.sh" else None

    def resolve(self, path: str) -> str:
        return path

    def is_dir(self, path: str) -> bool:
        return False

    def glob(self, pattern: str, limit: int) -> list[str] | None:
        return []


def test_a_script_on_the_disk_is_read() -> None:
    assert judge_action("bash x.sh", "shell", disk=Folder("rm -rf /srv")).verdict == "block"
    assert judge_action("bash x.sh", "shell", disk=Folder("git status")).verdict == "allow"
    assert judge_action("bash y.sh", "shell", disk=Folder("git status")).verdict == "confirm"


def test_preparing_the_environment_is_no_question() -> None:
    assert is_harmless_source("/home/dev/project/.venv/bin/activate")
    assert not is_harmless_source("/home/dev/project/deploy.sh")


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("bash --rcfile <(echo 'rm -rf /srv') -i", "block"),
        ("bash --init-file <(echo 'rm -rf /srv') -i", "block"),
        ("PROMPT_COMMAND='rm -rf /srv' bash -i", "block"),
        ("bash --rcfile /home/dev/x.rc -i", "confirm"),
        ("bash --norc -c ls", "allow"),
    ],
)
def test_what_a_shell_reads_before_anything_else(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict
