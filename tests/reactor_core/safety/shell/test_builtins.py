"""Commands that change the shell itself."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("cd / && rm -rf *", "block"),
        ("cd build && rm -rf ./*", "allow"),
        ("cd /srv; cd -; rm -rf build", "allow"),
        ("pushd /data && rm -rf ./*", "block"),
        ('set -- rm -rf /srv; "$@"', "block"),
        ('set -- a b; shift; rm -rf "build/$1"', "allow"),
        ('read -r x <<< /etc; rm -rf "$x"', "block"),
        ('IFS=: read -r a b <<< "x:/home"; rm -rf "$b"', "block"),
        ('mapfile -t m < <(printf "%s\\n" /srv); rm -rf "${m[0]}"', "block"),
        ('printf -v c "%s" /srv; rm -rf "$c"', "block"),
        ("trap 'rm -rf /srv' EXIT", "block"),
        ('unset X; rm -rf "$X/"', "block"),
        ("export X=/srv; sh -c 'rm -rf $X'", "block"),
        ("exit 0; rm -rf /", "allow"),
        ("false && rm -rf /", "allow"),
        ('eval "$UNKNOWN_CMD"', "confirm"),
        ("eval 'git status'", "allow"),
        (". ./x.sh", "confirm"),
        ("source .venv/bin/activate && pytest", "allow"),
        ("type rm", "allow"),
        ("[ a = b ] && rm -rf /", "allow"),
        ("[ -d /srv ] && rm -rf /srv", "block"),
        ("true || rm -rf /", "allow"),
        ("test -f x || rm -rf /srv", "block"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict
