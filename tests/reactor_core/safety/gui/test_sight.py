from __future__ import annotations

from tests.reactor_core.safety.scopes import scope

from reactor_core.safety.gui.grammar import parse
from reactor_core.safety.gui.labels import Answer
from reactor_core.safety.gui.sight import Sight
from reactor_core.safety.verdict import Scale


def sight(text, **options):
    scene = parse(text)
    assert scene is not None
    return Sight.of(scene.steps[0], scene, scope(), **options)


def test_a_mere_yes_does_what_the_dialog_says_and_a_deed_what_it_says_itself():
    yes = sight('click: button "Yes" | app: Files | dialog: "Delete 3 files?"')
    assert yes.answer is Answer.YES
    assert "delete 3 files" in yes.deed
    deed = sight('click: button "Send" | app: Mail | dialog: "Delete afterwards?"')
    assert deed.deed == "send"
    assert (yes.count, yes.app) == (3, "files")


def test_findings_carry_what_would_be_touched():
    finding = sight('click: button "Delete" | app: Files | selection: 12 files').finding("C1", "deletes")
    assert finding.effect.target == "12 files"
    assert finding.effect.scale is Scale.MANY


def test_a_yes_that_makes_something_stricter():
    assert sight('click: button "Apply" | app: Router | setting: block access from the internet').tightens
    assert sight('click: button "Save" | app: Console | policy: multi-factor login -> required for everyone').tightens
    assert not sight('click: button "Apply" | app: Router | setting: forward port 22').tightens
    assert not sight('click: button "Delete" | app: Router | setting: block access').tightens
