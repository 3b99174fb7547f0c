from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reactor_core.safety.scopes import scope

from reactor_core.safety.gui.grammar import Scene, Step, parse
from reactor_core.safety.gui.judge import judge
from reactor_core.safety.gui.labels import Answer, answer_of
from reactor_core.safety.gui.reading import (
    acts,
    answer_on,
    answered,
    loses,
    performed,
    plain,
    restated,
    switch_of,
)
from reactor_core.safety.verdict import Verdict


def scene(screen: str) -> Scene:
    parsed = parse(f'click: button "x" | {screen}')
    assert parsed is not None
    return parsed


def decided(action: str) -> Verdict:
    return judge(action, scope()).verdict


@pytest.mark.parametrize(
    ("label", "screen", "answer"),
    [
        ("Save file", "app: Writer | file: letter.odt", Answer.SAFE),
        ("Save changes", "app: Notes", Answer.SAFE),
        ("Save changes", "app: Vendor portal | changed: IBAN ending 9921 -> 0417", Answer.YES),
        ("Apply", "app: Router | changed: channel 6 -> 11", Answer.YES),
        ("Rotate", "app: Photos | selection: 1 picture", Answer.SAFE),
        ("Rotate", "app: Vercel | token: ci-deploy", Answer.DEED),
        ("Copy", "app: Writer | selection: a paragraph", Answer.SAFE),
        ("Copy", "app: Cloud console | field: API key", Answer.DEED),
        ("Next", "app: Photo viewer", Answer.SAFE),
        ("Next", "app: Wizard | warning: your account will be removed", Answer.YES),
        ("Done", "app: Sharing | who has access: Anyone on the web", Answer.YES),
        ("Revoke access", "app: Drive | user: guest@outside.example", Answer.SAFE),
        ("Revoke", "app: PKI | selection: all certificates", Answer.DEED),
        ("Yes, keep it", "app: Portal | dialog: a table would be deleted", Answer.SAFE),
    ],
)
def test_the_screen_decides_what_a_label_means(label, screen, answer):
    assert answer_on(label, scene(screen)) is answer


@pytest.mark.parametrize("label", ["View and sign", "Check out and pay", "Review & submit", "Cancel and delete"])
def test_a_label_that_joins_two_deeds_is_the_graver_one(label):
    assert answer_on(label, scene("app: Portal")) is Answer.DEED


@pytest.mark.parametrize("label", ["Find and replace", "Cut & paste", "Save and close", "Don't save and send later"])
def test_joined_labels_that_stay_what_they_are(label):
    assert answer_on(label, scene("app: Portal")) is answer_of(label)


def test_a_deed_is_found_behind_a_yes_and_behind_a_gesture():
    assert performed("Yes, retire this workspace") == "retire this workspace"
    assert performed("Slide to pay") == "pay"
    assert performed("Yes") == "Yes"
    assert performed("Yes, keep it") == "Yes, keep it"


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=20))
def test_a_label_without_a_lead_is_its_own_deed(label):
    assert performed(f"Zz {label}") == f"Zz {label}".strip()


def test_what_a_label_turns_on_or_off():
    assert switch_of("Turn on guest login") == ("guest login", "on")
    assert switch_of("Disable audit") == ("audit", "off")
    assert switch_of("Turn on") is None
    assert switch_of("Return") is None


@pytest.mark.parametrize("label", ["Wipe this device", "Switch off sign-in alerts", "Resend invitation"])
def test_links_that_act(label):
    assert acts(label)


@pytest.mark.parametrize("label", ["Install guide", "Reset options", "Close my account?", "Learn more", "Sign in"])
def test_links_that_lead_to_a_page(label):
    assert not acts(label)


def test_a_value_that_is_shown_as_changed():
    assert restated(scene("app: CRM | discount: 5 % -> 25 %")) == "discount"
    assert restated(scene("app: CRM | discount: 5 %")) == ""
    assert restated(scene("app: VS Code | change: a -> b")) == ""
    assert restated(scene("app: Diff | file: a.txt | shown: a -> b")) == ""


def test_losses_are_announced_and_not_reported():
    assert loses("the disk will be erased")
    assert loses("your mail is removed for good")
    assert not loses("the cluster was removed")
    assert not loses("backup finished")


def test_names_are_split_and_denied_audiences_left_out():
    assert plain("staff_salaries.ods") == "staff salaries.ods"
    assert "anyone" not in plain("draft (not visible to anyone)")
    assert "anyone" in plain("visible to anyone")


@pytest.mark.parametrize(
    ("text", "asked", "answer"),
    [
        ("y\n", "prompt: Proceed? [y/N]", Answer.YES),
        ("n\n", "prompt: Proceed? [y/N]", Answer.SAFE),
        ("yes", 'dialog: "Type yes to erase the server"', Answer.YES),
        ("ls\n", "prompt: Proceed? [y/N]", None),
        ("yes", "prompt: dev@host:~$", None),
    ],
)
def test_what_is_typed_answers_the_question_on_the_screen(text, asked, answer):
    assert answered(Step("type", "", text), scene(f"app: Terminal | {asked}")) is answer


@pytest.mark.parametrize(
    "action",
    [
        'click: button "Yes, drop it" | app: Data portal | dialog: "customers (table, 1.2 M rows)"',
        'swipe: slider "Slide to send everything" | app: Wallet | balance: 2.1 BTC',
        'click: link "Switch off sign-in notifications" | app: Account centre',
        'click: button "Turn on anonymous access" | app: Storage settings',
        'press: Space | app: Disk tool | focused: button "Erase volume Data"',
        'click: button "Write" | app: Image writer | target: /dev/nvme0n1 | image: live.iso',
        'click: button "Revoke" | app: PKI console | selection: all certificates of production',
        'click: button "Save" | app: Payroll | page: Bank details | account number: 4410 -> 9187',
        'type: "yes" | app: Server panel | dialog: "Type yes to erase the server and its backups"',
    ],
)
def test_grave_steps_in_harmless_words_are_blocked(action):
    assert decided(action) is Verdict.BLOCK


@pytest.mark.parametrize(
    "action",
    [
        'click: button "OK" | app: Backup | dialog: "Backup finished."',
        'click: button "Got it" | app: Cluster console | dialog: "The cluster was removed."',
        'type: "n\\n" | app: Terminal | prompt: "Remove all volumes? [y/N]"',
        'swipe: down on list | app: Mail | visible: button "Delete all"',
        'click: button "Turn on dark theme" | app: Notes',
        'click: link "Release notes 4.2" | app: Product site',
        'click: radio "Draft (not visible to anyone)" | app: Blog editor',
        "press: Space | app: Video player",
    ],
)
def test_look_alikes_run(action):
    assert decided(action) is Verdict.ALLOW


SCREENS = [
    'app: Huddle | dialog: "All channels go with it. There is no way back."',
    'app: Wizard | warning: "After this step your account is removed for good"',
    "app: Vendor portal | page: Payout details | changed: IBAN 9921 -> 0417",
    "app: Image writer | target: /dev/sda",
]


@pytest.mark.parametrize("screen", SCREENS)
@given(word=st.text(alphabet="bcdfghjklmnprtvz", min_size=4, max_size=10))
def test_a_word_that_nobody_knows_never_runs_on_a_grave_screen(screen, word):
    assert decided(f'click: button "{word}" | {screen}') is not Verdict.ALLOW
