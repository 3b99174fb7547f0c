from __future__ import annotations

import pytest
from tests.reactor_core.safety.gui.test_sight import sight
from tests.reactor_core.safety.scopes import rule

from reactor_core.safety.gui.trust import entrusted, overseen, switched


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('toggle "Firewall" -> off | app: Settings', "B5"),
        ('toggle "Firewall" -> on | app: Settings', ""),
        ('toggle "Dark mode" -> off | app: Settings', ""),
        ('button "Turn off FileVault" | app: Settings', "B5"),
        ('checkbox "Disable audit log" | app: Vault', "B5"),
        ('toggle "Trust all workspaces without asking" -> on | app: Editor', "B5"),
        ('toggle "Visible to anyone" -> on | app: Wiki | page: staff salaries', "B7"),
        ('radio "Public" | app: YouTube | video: demo', "C7"),
        ('button "Silence 2 h" | app: Metabase | alert: disk', "C4"),
        ('toggle "Start X at login" -> on | app: Settings', "C5"),
        ('button "Assign" | app: Keycloak | role: Owner | to: everyone', "B5"),
        ('button "Apply" | app: Router | rule: forward port 22 from anywhere', "B5"),
    ],
)
def test_switched(text, expected):
    assert rule(switched(sight(f"click: {text}"))) == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Approve", "B5"),
        ("Never ask for confirmation", "B5"),
        ("Delete audit trail", "B5"),
        ("Ask before every action", ""),
        ("Stop all", ""),
        ("Send feedback", "C7"),
        ("Update agent", "C5"),
        ("Show history", ""),
    ],
)
def test_the_agents_own_oversight(label, expected):
    assert rule(overseen(sight(f'click: button "{label}" | app: Reactor approvals'))) == expected
    assert rule(overseen(sight(f'click: button "{label}" | app: Photos'))) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('button "Run anyway" | app: SmartScreen | dialog: "Unknown publisher"', "B5"),
        ('button "Allow" | app: Mac | dialog: "X wants to control this computer"', "B5"),
        ('button "Approve" | app: auth | dialog: "Sign-in from Oslo"', "B5"),
        ('button "Add extension" | app: Chrome | rights: "read and change all your data"', "B5"),
        ('button "Trust the authors" | app: Zed', "C6"),
        ('button "Run macro" | app: Excel | macro: tidy', "C6"),
        ('button "Open" | app: downloads | file: codec.exe', "B5"),
        ('button "Allow" | app: Privacy | dialog: "Zoom would like the microphone"', ""),
        ('button "Cancel" | app: SmartScreen | dialog: "Unknown publisher"', ""),
    ],
)
def test_entrusted(text, expected):
    assert rule(entrusted(sight(f"click: {text}"))) == expected
