from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.safety.gui.grammar import Scene, Step, parse

labels = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=20)


@given(labels, labels, labels)
def test_what_is_written_is_read_back(label, app, dialog):
    scene = parse(f'click: button "{label}" | app: {app} | dialog: "{dialog}"')
    assert scene is not None
    assert scene.steps == (Step("click", "button", label),)
    assert scene.field("app") == app
    assert scene.field("dialog") == dialog


@given(st.text(max_size=80))
def test_no_text_makes_the_reader_fail(text):
    assert parse(text) is None or isinstance(parse(text), Scene)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ('click: toggle "Firewall" -> off', [Step("click", "toggle", "Firewall", "off")]),
        (
            'click: toggle "A" -> never, toggle "B" -> off',
            [Step("click", "toggle", "A", "never"), Step("click", "toggle", "B", "off")],
        ),
        ('click: checkbox "X" (set)', [Step("click", "checkbox", "X", "set")]),
        ('click: button "Reply all" then "Send"', [Step("click", "button", "Reply all"), Step("click", "", "Send")]),
        ('tap: "Decline"', [Step("tap", "", "Decline")]),
        ('type: "rm -rf ~\\n"', [Step("type", "", "rm -rf ~\n")]),
        ('type: "say \\"hi\\" | then"', [Step("type", "", 'say "hi" | then')]),
        ('type: "x" then click "Delete"', [Step("type", "", "x"), Step("click", "", "Delete")]),
        ("key: Ctrl+Z", [Step("key", "", "Ctrl+Z")]),
        ('hotkey: Ctrl+A then click "Terminate"', [Step("key", "", "Ctrl+A"), Step("click", "", "Terminate")]),
        ('hotkey: Win+R, type: "cmd"', [Step("key", "", "Win+R"), Step("type", "", "cmd")]),
        ('drag: file "a.png" -> Trash', [Step("drag", "file", "a.png", "Trash")]),
        ("scroll: down 600", [Step("scroll", "down", "600")]),
    ],
)
def test_steps(text, steps):
    scene = parse(text + " | app: X")
    assert scene is not None
    assert list(scene.steps) == steps


def test_bars_inside_quotes_and_remarks_without_a_key():
    scene = parse('click: button "OK" | app: Shop | dialog: "a | b: c" | 1,204 products')
    assert scene is not None
    assert scene.fields == (("app", "Shop"), ("dialog", "a | b: c"), ("", "1,204 products"))
    assert scene.told == "dialog: a | b: c | 1,204 products"
    assert scene.app == "shop"


@pytest.mark.parametrize("text", ["", "delete the file", "app: x", '"click"'])
def test_what_is_no_step(text):
    assert parse(text) is None
