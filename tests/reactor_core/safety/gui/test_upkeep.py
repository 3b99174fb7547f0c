from __future__ import annotations

import pytest
from tests.reactor_core.safety.gui.test_sight import sight
from tests.reactor_core.safety.scopes import rule

from reactor_core.safety.gui.upkeep import kept_up, queried, revealed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('button "Force push" | app: Fork | branch: main', "B2"),
        ('button "Force push" | app: Fork | branch: spike/cache', "C2"),
        ('button "Push" | app: Fork | branch: main', "C2"),
        ('button "Push" | app: Fork | branch: fix/a (own)', ""),
        ('button "Restart pod" | app: Lens | selection: web-1', "C4"),
        ('button "Stop database" | app: Azure portal | instance: core platform', "B4"),
        ('button "Deploy" | app: Cloud console | service: queue', "C4"),
        ('button "Run" | app: Jenkins | job: nightly-tests', ""),
        ('button "Run" | app: Buildkite | job: destroy-production', "B4"),
        ('button "Confirm & Apply" | app: Terraform Cloud | plan: 212 to destroy', "B4"),
        ('button "Install" | app: App Store | item: GIMP', "C5"),
        ('button "Restart now" | app: Settings | dialog: "Updates"', "C5"),
        ('button "Force quit" | app: Writer', "C5"),
        ('button "Allow" | app: Privacy | dialog: "Zoom wants the microphone"', "C5"),
        ('button "Save" | app: CRM | record: Ana | field changed: phone', "C3"),
        ('button "Import" | app: DBeaver | rows: 900', "C3"),
        ('button "Compile" | app: Overleaf', ""),
    ],
)
def test_kept_up(text, expected):
    assert rule(kept_up(sight(f"click: {text}"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('button "Reveal" | app: 1Password | item: "AWS root password"', "C8"),
        ('button "Generate token" | app: GitLab', "C8"),
        ('icon "eye" | app: Router | field: Wi-Fi key', "C8"),
        ('button "Export" | app: password manager', "C8"),
        ('button "View" | app: Files', ""),
        ('tab "API keys" | app: Console', ""),
    ],
)
def test_revealed(text, expected):
    assert rule(revealed(sight(f"click: {text}"))) == expected


def test_a_query_is_judged_when_it_is_run():
    ran = queried(sight('click: button "Run" | app: DBeaver | query: "TRUNCATE orders"'))
    assert [rule(finding) for finding in ran or ()] == ["B3"]
    assert queried(sight('click: button "Close" | app: DBeaver | query: "TRUNCATE orders"')) is None
    assert queried(sight('click: button "Run" | app: DBeaver')) is None
