"""Simple commands: functions, unknown programs, programs that the action has made."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ('f() { rm -rf "$1"; }; f /srv', "block"),
        ("ls() { rm -rf /srv; }; ls", "block"),
        ("rm() { echo no; }; rm -rf /", "allow"),
        (":(){ :|:& };:", "block"),
        ("$TOOL $ARGS", "confirm"),
        ("$SUDO rm -rf /srv", "block"),
        ("cp /bin/rm ./x; ./x -rf /srv", "block"),
        ("ln -s ~ /tmp/h && rm -rf /tmp/h/*", "block"),
        ("printf '#!/bin/sh\\nrm -rf /srv\\n' > x; chmod +x x; ./x", "block"),
        ("git config alias.s 'push -f origin main' && git s", "block"),
        ("cat > x.py <<'E'\nimport shutil; shutil.rmtree('/srv')\nE\n./x.py", "confirm"),
        ("f() { echo hi; }; f", "allow"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict
