"""The tables of programs."""

from __future__ import annotations

import re

import pytest

from reactor_core.safety.tools.line import Known, Line, read_line
from reactor_core.safety.tools.table import Tool, Use, fits, known_options, lookup, sub_length, tools
from reactor_core.safety.verdict import rule_verdict

ROWS = [(name, use) for name, tool in tools().items() for use in tool.use]


def line(text: str) -> Line:
    return read_line("x", [Known(word) for word in text.split()], values=("--state",))


def test_every_table_is_read() -> None:
    assert {"rm", "git", "systemctl", "curl", "docker", "npm"} - set(tools()) == {"docker", "npm"}  # these have judges
    assert len(tools()) > 1000


@pytest.mark.parametrize("field", ["rule", "precious", "scratch", "many", "unknown", "remote"])
def test_every_rule_is_one_of_the_rubric(field: str) -> None:
    rules = {getattr(use, field) for _, use in ROWS} - {""}
    assert all(re.fullmatch(r"B[1-8]|C[1-8]|A[1-6]", rule) and rule_verdict(rule) for rule in rules)


def test_every_pattern_compiles() -> None:
    for _, use in ROWS:
        for pattern in (use.like, *use.value.values()):
            re.compile(pattern)


def test_every_refusal_says_why() -> None:
    assert [name for name, use in ROWS if use.rule[0] in "BC" and not use.says] == []


def test_a_name_may_be_a_pattern() -> None:
    assert lookup("mkfs.xfs") is not None
    assert lookup("no-such-program") is None


def test_options_that_a_table_mentions_are_known() -> None:
    assert "--force" in known_options(Tool(use=(Use(has=("--force",)),)))


def test_a_subcommand_may_have_several_words_and_patterns() -> None:
    use = Use(sub=("remote rm", "list-*"))
    assert [sub_length(use, line(text)) for text in ("remote rm x", "list-all", "remote", "other")] == [
        2,
        1,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("use", "text", "expected"),
    [
        (Use(has=("-f",)), "-f", True),
        (Use(has=("-f",)), "-g", False),
        (Use(lacks=("-n",)), "-n", False),
        (Use(value={"--state": "^absent$"}), "--state absent", True),
        (Use(value={"--state": "^absent$"}), "--state present", False),
        (Use(value={"1": "^prod"}), "prod-db", True),
        (Use(at_least=2), "a", False),
        (Use(at_most=0), "a", False),
        (Use(has=("--state=absent",)), "--state=absent", True),
        (Use(has=("--state=absent",)), "--state=present", False),
    ],
)
def test_a_row_fits_what_it_describes(use: Use, text: str, expected: bool) -> None:
    read = line(text)
    assert fits(use, read, read.operands, 0) is expected


def test_a_row_may_look_at_its_targets() -> None:
    assert fits(Use(like="audit"), line("auditd"), (Known("auditd"),), 0)
    assert not fits(Use(like="audit"), line("nginx"), (Known("nginx"),), 0)
