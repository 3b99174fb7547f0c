from __future__ import annotations

import pytest
from tests.reactor_core.safety.gui.test_sight import sight
from tests.reactor_core.safety.scopes import rule

from reactor_core.safety.gui.destruction import destroyed, given_up


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('button "Erase" | app: Disk Utility | dialog: "Erase Data (2 TB)?"', "B1"),
        ('button "Delete all backups" | app: NAS', "B1"),
        ('button "Wipe device" | app: Intune | selection: 214 devices', "B1"),
        ('button "Delete this repository" | app: GitHub', "B2"),
        ('button "Delete branch" | app: GitLab | branch: release', "B2"),
        ('button "Delete branch" | app: GitLab | branch: fix/typo (own)', "C2"),
        ('button "Yes" | app: pgAdmin | dialog: "Drop table customers?"', "B3"),
        ('button "Delete all products" | app: Shop | 1,204 products', "B3"),
        ('button "Delete" | app: CRM | selection: 3 records', "C3"),
        ('button "Delete cluster" | app: GKE', "B4"),
        ('button "Delete" | app: Azure | dialog: "Delete project lumen and all its resources?"', "B4"),
        ('button "Terminate" | app: AWS console | instance: spot-1', "C4"),
        ('button "Clear log" | app: Event Viewer | log: Security', "B5"),
        ('button "Delete" | app: boot manager | entry: only operating system', "B6"),
        ('button "Delete mailbox" | app: admin', "B7"),
        ('button "Delete my account" | app: help desk', "B7"),
        ('button "Purge" | app: Records | selection: case 2 (legal hold)', "B7"),
        ('button "Delete permanently" | app: Files | selection: 77031 items in /etc', "B1"),
        ('button "Delete" | app: Files | dialog: "Delete notes.txt?"', "C1"),
        ('button "Delete" | app: digiKam | selection: 13 photos', "C1"),
        ('button "Delete snapshot" | app: Duplicati | snapshot: 1 of 30', "C1"),
        ('button "Uninstall" | app: Settings | program: Zoomer', "C5"),
        ('button "Clear cache" | app: Buildkite', ""),
        ('menu "Delete column" | app: Excel | column: C', ""),
        ('button "Send" | app: Mail', ""),
    ],
)
def test_destroyed(text, expected):
    assert rule(destroyed(sight(f"click: {text}"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('button "Don\'t Save" | app: Writer | dialog: "Save changes to a.odt?"', "C1"),
        ('button "Discard changes" | app: VS Code | dialog: "Discard changes in 2 files?"', "C2"),
        ('button "Replace" | app: Finder | dialog: "a.xlsx already exists"', "C1"),
        ('button "Discard" | app: Mail | dialog: "Stop sending?"', ""),
    ],
)
def test_given_up(text, expected):
    assert rule(given_up(sight(f"click: {text}"))) == expected
