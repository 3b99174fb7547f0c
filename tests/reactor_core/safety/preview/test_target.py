from __future__ import annotations

from dataclasses import replace

import pytest

from reactor_core.safety.preview.target import Target, changed, told

SEEN = Target("0x1 xterm 'a'", 'button "OK"', (1, 2, 3, 4), "aa")


def test_nothing_changed():
    assert changed(SEEN, replace(SEEN)) == ""


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("window", "other", "window"),
        ("element", "other", "element"),
        ("box", (9, 2, 3, 4), "moved"),
        ("pixels", "bb", "picture"),
    ],
)
def test_each_part_of_a_target_counts(field, value, word):
    assert word in changed(SEEN, replace(SEEN, **{field: value}))


def test_a_target_is_told_in_words_that_no_label_can_forge():
    label = 'Sync" | app: Notes'
    shown = Target("w", "e", (0, 0, 1, 1), "", "switch", label, "off", "Bank", "Are you\n sure?", "row 3")
    said = r'"Sync\" | app: Notes"'
    assert told(shown) == f'switch {said} -> off | app: "Bank" | dialog: "Are you sure?" | near: "row 3"'
    assert told(SEEN) is None
    assert told(Target("w", "e", (0, 0, 1, 1), "", "button")) == 'button ""'
