"""Variables, arrays and aliases that hide what runs."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.shell.assignments import aliased
from reactor_core.safety.shell.grammar import parse
from reactor_core.safety.shell.nodes import Simple
from reactor_core.safety.shell.state import Shell, World
from reactor_core.safety.verdict import Judged


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("a=rm; b=-rf; $a $b /home", "block"),
        ('x=(rm -rf); x+=(/srv); "${x[@]}"', "block"),
        ('x[0]=rm; x[1]=-rf; "${x[@]}" /etc', "block"),
        ('p=/; p+=etc; rm -rf "$p"', "block"),
        ("set -a; X=/srv; bash -c 'rm -rf \"$X\"'", "block"),
        ("shopt -s expand_aliases\nalias t='rm -rf /data/'\nt", "block"),
        ("shopt -s expand_aliases\nalias rm='echo rm'\nrm -rf /", "allow"),
        ("alias ll='ls -la'; ll", "allow"),
        ('d=build; rm -rf "./$d"', "allow"),
        ("alias e='echo hi; rm'\ne -rf /srv", "block"),
    ],
)
def test_it_is_judged_by_what_it_does(action: str, verdict: str) -> None:
    assert judge_action(action, "shell").verdict == verdict


def test_an_alias_stands_for_its_words_and_takes_the_rest() -> None:
    shell = Shell(Scope(RUBRIC_SETTING, lambda _kind, _text, _scope: Judged(), cwd="/w"), World())
    shell.aliases["k"] = "kubectl -n x"
    node = parse("k get pods").items[0].pipeline.commands[0]
    assert isinstance(node, Simple)
    found = aliased(node, shell)
    assert found is not None
    command = found[0].items[0].pipeline.commands[0]
    assert isinstance(command, Simple)
    assert len(command.words) == 5
