"""Scripts against the shell's own opinion on what is one."""

from __future__ import annotations

import subprocess

import pytest

from reactor_core.safety.shell.grammar import parse

SCRIPTS = [
    "a && b || c; d &",
    "if a; then b; elif c; then d; else e; fi > x",
    "for i in 1 2; do echo $i; done",
    "for i; do echo $i; done",
    "for ((i=0; i<3; i++)); do x; done",
    'while read -r l; do echo "$l"; done < f',
    "until a; do b; done",
    "case $x in a|b) c;; (d*) e;& *) f;; esac",
    "f() { x; }; f",
    "function f { x; }; f",
    "f() ( x )",
    "[[ $a =~ ^(a|b)$ && -f x || ! -d y ]]",
    "(( a > 3 )) && x",
    "( a; b ) | c |& d",
    "{ a; b; } 2>&1",
    "time -p a | b",
    "! a",
    "x=(a b c); echo ${x[1]} ${#x[@]}",
    "x[2]=3",
    "a <<E\n$(b)\nE\nc",
    "echo $(a <<E\nx\nE\n)",
    "echo $((1+2)) $((a)) $( (a) )",
    "select i in a b; do break; done",
    "coproc cat",
    "diff <(a) <(b)",
    "a > >(b)",
    "echo {a,b}{1..3}",
    "a \\\n b",
    "echo a;# b\necho c",
    "echo if then fi",
    "",
    "# only a comment",
]
BROKEN = ["if a; then b", "a )", "for do", "a &&", "| a", "( a", "case x in a) b", "done", "a ;; b", "{ a", "f() {"]


def bash_reads(text: str) -> bool:
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, timeout=20, check=False)
    return done.returncode == 0 and b"syntax error" not in done.stderr


@pytest.mark.parametrize("text", SCRIPTS)
def test_it_reads_what_bash_reads(text: str) -> None:
    assert bash_reads(text)
    assert parse(text).broken == ""


@pytest.mark.parametrize("text", BROKEN)
def test_it_refuses_what_bash_refuses(text: str) -> None:
    assert not bash_reads(text)
    assert parse(text).broken


def test_the_lines_before_what_cannot_be_read_are_kept() -> None:
    script = parse("rm -rf /\nif x; then")
    assert script.broken
    assert len(script.items) == 1


def test_a_long_script_is_read_in_time() -> None:
    assert len(parse("echo a; " * 2_000).items) == 2_000
