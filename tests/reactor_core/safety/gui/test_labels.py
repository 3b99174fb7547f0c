from __future__ import annotations

import pytest

from reactor_core.safety.gui.labels import Answer, answer_of, bare


@pytest.mark.parametrize(
    "label",
    [
        "Cancel",
        "No",
        "Don't delete",
        "Never mind",
        "Keep both",
        "Go back",
        "Not now",
        "Restore",
        "Save draft",
        "Preview",
        "Put back",
        "Undo",
        "Decline",
        "Discard draft",
        "[Cancel*]",
    ],
)
def test_safe_answers(label):
    assert answer_of(label) is Answer.SAFE


@pytest.mark.parametrize(
    "label", ["Don't save", "Discard changes", "Close without saving", "Revert", "Replace", "Overwrite"]
)
def test_giving_up(label):
    assert answer_of(label) is Answer.GIVE_UP


@pytest.mark.parametrize(
    "label",
    [
        "Don't keep any rows",
        "Don't ask again",
        "Never ask for confirmation",
        "Do not encrypt",
        "Delete",
        "Send now",
        "Erase everything",
        "Reveal password",
        "Show key",
        "Open port 22 to everyone",
    ],
)
def test_deeds_and_negations_that_are_deeds(label):
    assert answer_of(label) is Answer.DEED


@pytest.mark.parametrize("label", ["Yes", "OK", "Continue", "Apply", "Allow", "I understand the risk"])
def test_a_mere_yes(label):
    assert answer_of(label) is Answer.YES


@pytest.mark.parametrize("label", ["View details", "Show history", "File > Open...", "Learn more", "Download receipt"])
def test_looks(label):
    assert answer_of(label) in {Answer.LOOK, Answer.YES}
    assert answer_of(label) is Answer.LOOK or bare(label) == "Open"


def test_marks_are_taken_off():
    assert bare("Edit > Delete...") == "Delete"
    assert bare("[Format*]") == "Format"
