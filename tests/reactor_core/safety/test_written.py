from __future__ import annotations

import pytest
from tests.reactor_core.safety.scopes import rule, scope

from reactor_core.safety.written import Written, effect, language, lines, persistent, strictest_of


def test_lines_leave_out_comments():
    assert lines("# a\n\n b \nc # d") == ["b", "c # d"]


def test_language_is_told_by_the_first_line():
    assert language("#!/usr/bin/env python3\nx") == "python"
    assert language("#!/bin/sh\npython x") == "shell"


def test_the_strictest_command_counts():
    assert rule(strictest_of([("shell", "ls"), ("shell", "rm -rf /usr"), ("shell", "")], scope())) == "B1"
    assert strictest_of([("shell", "ls")], scope()) is None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("rm -rf /usr", "B5"),
        ("/usr/bin/backup-job", "C5"),
        ("/tmp/.x --quiet", "B5"),
        ("/home/dev/.hidden/run", "B5"),
        ("/home/dev/.local/bin/tool", "C5"),
    ],
)
def test_what_runs_by_itself_is_always_asked_about(command, expected):
    file = Written("/etc/cron.d/x", "", scope(), append=False)
    assert rule(persistent(file, [("shell", command)], otherwise="C5")) == expected
    assert effect("/x").privilege
