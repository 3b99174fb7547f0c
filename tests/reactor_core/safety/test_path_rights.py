from __future__ import annotations

import pytest
from tests.reactor_core.safety.scopes import rule, scope

from reactor_core.safety.path_rights import mode_change, owner_change


@pytest.mark.parametrize(
    ("path", "mode", "recursive", "expected"),
    [
        ("/", "000", True, "B6"),
        ("/usr", "755", True, "B6"),
        ("/home", "777", True, "B6"),
        ("/usr/bin/bash", "4755", False, "B5"),
        ("x", "u+s", False, "B5"),
        ("/etc/shadow", "666", False, "B5"),
        ("/var/run/docker.sock", "666", False, "B5"),
        ("reactor.toml", "600", False, "B5"),
        ("/var/log/audit", "777", True, "B5"),
        (".", "777", True, "C5"),
        (".", "a+rwX", True, "C5"),
        ("~/.ssh/id_rsa", "644", False, "C5"),
        ("/opt/x", "755", True, "C5"),
        ("/srv/x", "755", False, "C5"),
        ("~/.ssh/id_rsa", "600", False, ""),
        ("~/.ssh/config", "600", False, ""),
        ("a.sh", "+x", False, ""),
        ("a.sh", "755", False, ""),
        ("build", "777", True, ""),
        ("x", "o-rwx", False, ""),
    ],
)
def test_mode_change(path, mode, recursive, expected):
    assert rule(mode_change(path, scope(), mode=mode, recursive=recursive)) == expected


@pytest.mark.parametrize(
    ("path", "recursive", "expected"),
    [
        ("/usr", True, "B6"),
        ("/", True, "B6"),
        ("/home", True, "B6"),
        ("/etc/shadow", False, "B5"),
        ("/opt/app", True, "C5"),
        (".", True, "C5"),
        ("node_modules", True, ""),
    ],
)
def test_owner_change(path, recursive, expected):
    finding = owner_change(path, scope(), recursive=recursive, owner="ana")
    assert rule(finding) == expected
    assert finding is None or finding.effect.privilege
