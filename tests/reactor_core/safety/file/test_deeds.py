from __future__ import annotations

import pytest
from tests.reactor_core.safety.scopes import scope

from reactor_core.safety.calls import parse_calls
from reactor_core.safety.file.arguments import Arguments
from reactor_core.safety.file.deeds import findings_of
from reactor_core.safety.file.words import Deed, deed_of
from reactor_core.safety.verdict import worst


def test_every_deed_is_judged():
    calls = parse_calls('f(path="src/a.py")')
    assert calls is not None
    for deed in Deed:
        list(findings_of(deed, Arguments(calls[0], scope())))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('read_file(".env")', "confirm"),
        ('read_file("a.py")', "allow"),
        ('load_state(path="a.pkl")', "confirm"),
        ('grep(root="/", pattern="BEGIN RSA PRIVATE KEY")', "confirm"),
        ('search_files(root="src", pattern="password")', "allow"),
        ('write_file(path="/tmp/s", content="rm -rf /usr", then="sh /tmp/s")', "block"),
        ('write_file(path="/tmp/x", size="all free space")', "block"),
        ('write_file(path="data/a.csv", content="x", overwrite=False)', "allow"),
        ('write_file(path="data/a.csv", content="x")', "confirm"),
        ('write_file(path="a.sh", content="x", mode="4755")', "allow"),
        ('write_file(path="a.sh", content="x", permissions="4755")', "block"),
        ('edit_file(path="/etc/fstab", old="a", new="b")', "confirm"),
        ('edit_file(path="/var/log/auth.log", old="a", new="")', "block"),
        ('edit_file(path="data/a.csv", old="a", new="b")', "confirm"),
        ('truncate(path="data/a.csv", size=0)', "confirm"),
        ('delete_many(paths=["~/Documents", "~/Pictures", "~/Music"], recursive=True)', "block"),
        ('rmdir(path="src")', "confirm"),
        ('rename(path="src/a.py", new_name="b.py")', "allow"),
        ('move(src="a", dst="b", overwrite=True)', "confirm"),
        ('sync(src="/tmp/e", dst="/data", delete=True)', "block"),
        ('copy(src="a", dst="data/", overwrite=False)', "allow"),
        ('mkdir(path="/etc/x")', "confirm"),
        ('chmod(path="a", mode=0o777)', "confirm"),
        ('chmod(path=unknown, mode="777")', "confirm"),
        ('chown(path="/opt/a", owner="x")', "confirm"),
        ('symlink(target="/etc", link="e")', "confirm"),
        ('symlink(target="docs/a", link="docs/b")', "allow"),
        ('zip(src="src", dst="out/a.zip")', "allow"),
        ('zip(src="data", dst="out/a.zip", remove_files=True)', "block"),
        ('zip(src="~/.ssh", dst="out/a.zip")', "confirm"),
        ('extract(archive="a.zip", dst="/")', "block"),
        ('extract(archive="a.zip", dst="out", members=["../../../../etc/passwd"])', "block"),
        ('extract(archive="a.zip", dst="out", filter="fully_trusted")', "confirm"),
        ('restore(path="a", overwrite=True)', "confirm"),
        ('restore(path="a")', "allow"),
        ('frobnicate(path="a")', "confirm"),
        ('trash(path="~/Documents/a")', "confirm"),
        ("empty_trash()", "confirm"),
    ],
)
def test_what_calls_do(call, expected):
    calls = parse_calls(call)
    assert calls is not None
    found = findings_of(deed_of(calls[0].name), Arguments(calls[0], scope()))
    assert worst(finding.verdict for finding in found) == expected
