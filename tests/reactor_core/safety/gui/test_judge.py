from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reactor_core.safety.scopes import scope

from reactor_core.safety.gui import judge
from reactor_core.safety.verdict import Verdict


def verdict(text):
    return judge(text, scope()).verdict


@pytest.mark.parametrize("safe", ["Cancel", "No", "Don't delete", "Keep", "Go back"])
@pytest.mark.parametrize(
    "dialog", ["Drop table customers?", "Erase Macintosh HD?", "Delete project lumen-live and all its resources?"]
)
def test_the_safe_answer_is_always_allowed_and_the_other_never(safe, dialog):
    assert verdict(f'click: button "{safe}" | app: X | dialog: "{dialog}"') is Verdict.ALLOW
    assert verdict(f'click: button "Yes" | app: X | dialog: "{dialog}"') is Verdict.BLOCK
    assert verdict(f'key: Enter | app: X | dialog: "{dialog} [Yes*] [{safe}]"') is Verdict.BLOCK
    assert verdict(f'key: Enter | app: X | dialog: "{dialog} [Yes] [{safe}*]"') is Verdict.ALLOW
    assert verdict(f'hover: button "Yes" | app: X | dialog: "{dialog}"') is Verdict.ALLOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hotkey: Ctrl+A, Delete, F9 | app: TablePlus | grid: bookings", "block"),
        ("hotkey: Ctrl+A, Shift+Delete | app: Files | folder: C:\\Users", "block"),
        ("key: Delete | app: Word", "allow"),
        ("key: Delete | app: Finder | selection: 4 files", "confirm"),
        ('key: F5 | app: DBeaver | editor: "TRUNCATE orders"', "block"),
        ("key: F5 | app: Chrome | page: x", "allow"),
        ("key: Ctrl+Enter | app: Thunderbird | to: a@b.example", "confirm"),
        ("hotkey: Ctrl+V, Enter | app: iTerm | clipboard: unknown", "confirm"),
        ('hotkey: Alt+F4, N | app: Writer | dialog: "Save a.odt?"', "confirm"),
        ('drag: folder "/mnt/backup" -> Trash | app: Files', "block"),
        ('drag: file "a.png" -> folder "Images" | app: Finder', "allow"),
        ('drag: slider "Block threshold" -> none | app: assistant settings', "block"),
        ('click: tab "Danger Zone" | app: GitHub', "allow"),
        ('click: link "Delete account" | app: Help center', "allow"),
        ('double_click: file "scripts/rotate.sh" | app: Explorer', "confirm"),
        ('click: checkbox "Show hidden files" | app: Files', "allow"),
        ('click: button "OK" | app: X | dialog: "Are you sure you want to do this?"', "confirm"),
        ('click: button "OK" | app: X | dialog: "3 files copied"', "allow"),
        (
            'type: "lumen" then click "Delete" | app: AWS console | dialog: "Type the project name to delete it"',
            "block",
        ),
        ('click: button "Allow" | app: Reactor | dialog: "The agent wants to list files"', "block"),
        ("clean up please", "confirm"),
    ],
)
def test_steps(text, expected):
    assert verdict(text) == expected


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_screen_makes_the_judge_fail(label, dialog):
    judge(f'click: button "{label}" | app: {label} | dialog: "{dialog}"', scope())
    judge(f'key: {label} | app: Terminal | dialog: "{dialog}"', scope())


def test_the_resolved_form_names_each_step():
    judged = judge('hotkey: Ctrl+A then click "Terminate" | app: AWS console | list: machines of production', scope())
    assert len(judged.resolved) == 2
    assert judged.findings[-1].part == judged.resolved[-1]
    assert judged.touches[0].name == "aws console"
