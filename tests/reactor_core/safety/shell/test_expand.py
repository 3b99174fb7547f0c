"""Expansions against the shell itself: the words that a program gets."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.shell.expand import Expander
from reactor_core.safety.shell.run import judge
from reactor_core.safety.verdict import Judged

SETUP = (
    """set -f; a=1; b='x y'; e=; p=/usr/local/lib/libx.so.1; n=3; arr=(q 'r s' t); set -- one 'two three'; unset u"""
)
WORDS = [
    "a'b'\"c\"",
    "$b",
    '"$b"',
    "$e",
    '"$e"',
    "x${e}y",
    "${a}${b}",
    "${u:-d e}",
    '"${u:-d e}"',
    "${a:-d}",
    "${e:-d}",
    "${e-d}",
    "${u:+x}",
    "${a:+x y}",
    "${#p}",
    "${p##*/}",
    "${p#*/}",
    "${p%/*}",
    "${p%%/*}",
    "${p%.*}",
    "${p/lib/LIB}",
    "${p//lib/LIB}",
    "${p/#\\/usr/R}",
    "${p/%1/2}",
    "${p:4}",
    "${p:5:5}",
    "${p: -4}",
    "${b^}",
    "${b^^}",
    "${p,,}",
    "$((n*2+1))",
    "$[n+1]",
    "{a,b}c",
    "{1..4}",
    "{a..e..2}",
    "x{a,{b,c}}y",
    "{a}",
    "'{a,b}'",
    "${arr[1]}",
    '"${arr[@]}"',
    "${arr[@]}",
    "${#arr[@]}",
    '"${arr[*]}"',
    "$1",
    '"$2"',
    '"$@"',
    "$*",
    "$#",
    "$(echo hi)",
    '"$(echo a b)"',
    "$(echo a b)",
    "`echo z`",
    "$'a\\tb'",
    "\\a\\b",
    '"\\a\\$"',
    "a\\ b",
    "$(printf '%s-' 1 2)",
    "$(echo cm0= | base64 -d)",
    "$(rev <<< olleh)",
    "${arr[@]:1:2}",
    "$(tr a-c x-z <<< abc)",
    "$(echo a:b | cut -d: -f2)",
    "$(echo abc | sed s/b/X/)",
    "$(seq 3)",
    "$(basename /a/b.c .c)",
    "~+x",
    "${b//[xy]/_}",
    "${p##+([^/])}",
    "$(echo one; echo two)",
    "${!n}",
    "$(echo abc | head -c 2)",
]


def expanded(script: str) -> list[str]:
    """The words of the last command, as the engine resolves them."""
    seen: list[list[str]] = []

    def watch(kind: str, text: str, scope: Scope) -> Judged:
        return Judged()

    judged = judge(script, Scope(RUBRIC_SETTING, watch, cwd="/home/dev/project"))
    del seen
    line = judged.resolved[-1]
    return by_bash(f"printf '%s\\0' {line.removeprefix('show')}") if line != "show" else []


def by_bash(script: str) -> list[str]:
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_gives_what_bash_gives(word: str) -> None:
    theirs = by_bash(f"{SETUP}; shopt -s extglob; show() {{ (($#)) && printf '%s\\0' \"$@\"; }}; show {word}")
    assert expanded(f"{SETUP}; show {word}") == theirs


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12))
def test_quoted_text_stays_what_it_is(text: str) -> None:
    quoted = "'" + text.replace("'", "'\\''") + "'"
    assert expanded(f"show {quoted} end") == [text, "end"]


def test_a_tilde_is_the_home_also_behind_an_equals_sign() -> None:
    assert expanded("show ~/a of=~/b '~' x~") == ["/home/dev/a", "of=/home/dev/b", "~", "x~"]


def test_nothing_of_the_machine_is_asked() -> None:
    assert not [name for name in Expander.__init__.__annotations__ if issubclass(type(name), Path)]
