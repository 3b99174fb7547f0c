from __future__ import annotations

import pytest
from tests.reactor_core.safety.scopes import scope

from reactor_core.safety.calls import Unresolved
from reactor_core.safety.file.expansion import expanded, paths_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$HOME/x", ["/home/dev/x"]),
        ("${HOME}/x", ["/home/dev/x"]),
        ("%USERPROFILE%/x", ["/home/dev/x"]),
        ("${X:-/srv}", ["/srv"]),
        ("$X/y", [None]),
        ("$(pwd)/x", [None]),
        ("/{bin,lib}/x", ["/bin/x", "/lib/x"]),
        ("{a,{b,c}}", ["a", "b", "c"]),
        ("file:///etc/a%20b", ["/etc/a b"]),
        ("plain", ["plain"]),
        ("a{b}c", ["a{b}c"]),
    ],
)
def test_expanded(text, expected):
    assert expanded(text, scope()) == expected


def test_variables_of_the_scope_win():
    assert expanded("$HOME", scope(variables={"HOME": "/root"})) == ["/root"]


def test_braces_end():
    assert len(expanded("{a,b}" * 40, scope())) < 2_000


def test_paths_of_all_kinds_of_values():
    assert paths_in(["a", Unresolved("x"), None], scope()) == ["a", None]
    assert paths_in({"a": "b"}, scope()) == ["b"]
    assert paths_in(Unresolved("make_temp_dir()"), scope())[0].startswith("/tmp/reactor-")
