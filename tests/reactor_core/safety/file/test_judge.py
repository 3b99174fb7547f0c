from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reactor_core.safety.scopes import scope

from reactor_core.safety.file import judge
from reactor_core.safety.verdict import Verdict


def verdict(text):
    return judge(text, scope()).verdict


@pytest.mark.parametrize(
    "call",
    [
        'delete_path(path="/usr", recursive=True)',
        'write_file(path="/dev/sda", content="x")',
        'move(src="/etc", dst="/tmp/e")',
    ],
)
def test_a_rehearsal_is_allowed(call):
    assert verdict(call) is Verdict.BLOCK
    assert verdict(call[:-1] + ", dry_run=True)") is Verdict.ALLOW
    assert verdict(call[:-1] + ", dry_run=unknown)") is Verdict.BLOCK


def test_the_worst_of_several_calls_decides():
    assert verdict('read_file("a"); delete_path(path="/usr", recursive=True)') is Verdict.BLOCK
    assert verdict('{"tool": "delete_path", "args": {"path": "/usr", "recursive": true}}') is Verdict.BLOCK


def test_what_was_made_and_linked_before_counts_afterwards():
    assert verdict('create_file(path="probe"); delete_path(path="probe")') is Verdict.ALLOW
    assert verdict("t = make_temp_dir(); delete_path(path=t, recursive=True)") is Verdict.ALLOW
    assert verdict('symlink(target="~", link="tmp/h"); delete_path(path="tmp/h/*", recursive=True)') is Verdict.BLOCK


def test_what_is_not_a_call_is_asked_about():
    assert judge("delete everything", scope()).findings[0].rule == "C6"


def test_the_resolved_form_and_the_touches_name_absolute_paths():
    judged = judge('delete_path(path="src/../data")', scope())
    assert judged.resolved == ("delete_path src/../data",)
    assert [(touch.what, touch.name, touch.how) for touch in judged.touches] == [
        ("path", "/home/dev/project/data", "delete")
    ]
    assert judged.findings[0].part == "delete_path src/../data"


@given(st.text(max_size=60))
def test_no_path_makes_the_judge_fail(path):
    judge(f"delete_path(path={path!r}, recursive=True)", scope())
    judge(f"write_file(path={path!r}, content={path!r})", scope())
