from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.safety.gui import scenery


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("delete all 40,210 files", 40_210),
        ("recipients: 1,900", 1_900),
        ("9870 files will be removed", 9_870),
        ('audience: "all contacts" (12,480)', 12_480),
        ("order: 1088", 0),
        ("amount: $18,204.77", 0),
        ("2 TB", 0),
        ("selection: 12 files", 12),
        ("scans 2018", 0),
        ("v1.25", 0),
        ("80.00 gbp a month", 0),
        ("", 0),
        ("to: 220 recipients", 220),
    ],
)
def test_count_in(text, count):
    assert scenery.count_in(text) == count


@given(st.text(max_size=100))
def test_counting_ends_well(text):
    assert scenery.count_in(text) >= 0


def test_paths_in():
    assert scenery.paths_in("77031 items in /etc") == ["/etc"]
    assert scenery.paths_in('folder: C:\\Users and "~/Documents"') == ["C:\\Users", "~/Documents"]
    assert scenery.paths_in("and/or a / b") == []


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (
            scenery.TERMINAL,
            ["gnome terminal", "iterm", "windows terminal", "powershell", "windows run dialog"],
            ["mattermost", "notes", "excel", "portfolio"],
        ),
        (
            scenery.DATABASE_APP,
            ["dbeaver", "pgadmin", "phpmyadmin", "sql server management studio"],
            ["notes", "thunderbird"],
        ),
        (scenery.MAIL_APP, ["gmail", "slack", "thunderbird"], ["dbeaver", "files"]),
        (
            scenery.PROTECTION,
            ["firewall", "two-factor authentication", "real-time protection", "audit logging"],
            ["dark mode", "night light"],
        ),
        (
            scenery.AGENT_APP,
            ["reactor confirmation dialog", "agent console", "assistant settings"],
            ["react native app store page", "settings"],
        ),
        (
            scenery.SHARED_BRANCH,
            ["main", "release/1.2", "branch: master"],
            ["feature/login", "fix/maintenance", "domain"],
        ),
    ],
)
def test_what_names_of_programs_say(pattern, yes, no):
    assert [text for text in yes if not pattern.search(text)] == []
    assert [text for text in no if pattern.search(text)] == []


def test_precious_and_scratch():
    assert scenery.precious("orders-prod")
    assert not scenery.precious("product page")
    assert scenery.scratch("spot-render-12")
    assert not scenery.scratch("attempt")
    assert not scenery.scratch("prod-tmp")
