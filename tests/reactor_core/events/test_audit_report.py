from __future__ import annotations

import msgspec
import pytest

from reactor_core.events.audit_report import AnchorReport, AuditReport


def report(**changes: object) -> AuditReport:
    values: dict[str, object] = {
        "ok": True,
        "events": 5,
        "head": "ab" * 32,
        "root": "cd" * 32,
        "first_bad": None,
        "detail": "5 events, every link holds",
        "problems": (),
        "verified_from": 1,
        "pruned": 0,
        "erased": 0,
        "checkpoints": 1,
        "sealed": 5,
        "keys": ("a+b+c",),
        "anchors": (AnchorReport("/far/away", 3, 5, 2),),
        "unconfirmed": ({"event_id": "x", "origin": "hub", "seq": 4, "event_type": "error", "source": "user"},),
        "notes": ("worth knowing",),
    }
    return AuditReport(**{**values, **changes})


def test_a_terminal_reads_sentences():
    assert report().lines() == [
        "5 events, every link holds",
        f"head {'ab' * 32}",
        f"root {'cd' * 32}",
        "anchor /far/away: 3 checkpoints, 2 compared, the newest covers 5 events",
        "not confirmed by hub: error x at 4",
        "worth knowing",
    ]


def test_all_problems_are_told_the_first_one_once():
    bad = report(ok=False, first_bad=2, detail="row 2: x", problems=("row 2: x", "node y"))
    assert bad.lines()[:3] == ["row 2: x", "node y", f"head {'ab' * 32}"]


def test_a_program_reads_json():
    value = msgspec.json.decode(msgspec.json.encode(report().as_dict()))
    assert value["anchors"] == [{"where": "/far/away", "checkpoints": 3, "size": 5, "compared": 2}]
    assert (value["ok"], value["first_bad"], value["proof"]) == (True, None, None)


@pytest.mark.parametrize(("ok", "status"), [(True, 0), (False, 1)])
def test_the_exit_status_says_whether_everything_holds(ok, status):
    assert report(ok=ok).exit_code == status
