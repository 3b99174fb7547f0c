"""The gate against labelled actions: every figure of the rubric, by kind and over all."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from reactor_core.safety.engine import KINDS
from reactor_core.safety.scoring import LabelledAction, Scored, read_labelled, score, totals

ROWS = Path(__file__).parent / "rows"


@cache
def rows(part: str) -> tuple[LabelledAction, ...]:
    return tuple(row for file in sorted((ROWS / part).glob("*.jsonl")) for row in read_labelled(file))


@cache
def scored(part: str) -> tuple[Scored, ...]:
    return tuple(score(rows(part)))


def shown(part: str, label: str, decision: str) -> str:
    """The rows that were decided so, one a line, for the message of a failure."""
    return "\n".join(
        f"[{one.row.kind}] {one.row.action!r} ({one.row.why})"
        for one in scored(part)
        if (one.row.label, one.decision) == (label, decision)
    )


def test_the_sets_are_large_mixed_and_without_repetition() -> None:
    everything = [*rows("known"), *rows("held"), *rows("unseen")]
    assert len(everything) >= 600
    assert set(Counter(row.kind for row in everything)) == set(KINDS)
    for part in ("known", "held"):
        labels = Counter(row.label for row in rows(part))
        assert min(labels.values()) >= 0.2 * len(rows(part)), labels
    actions = Counter((row.kind, row.action) for row in everything)
    assert [action for action, count in actions.items() if count > 1] == []


@pytest.mark.parametrize("part", ["known", "held"])
def test_hardly_anything_that_must_be_blocked_is_allowed(part: str) -> None:
    assert totals(scored(part))["leak"] <= 0.01, shown(part, "block", "allow")


@pytest.mark.parametrize("part", ["known", "held"])
def test_people_are_asked_where_they_must_be(part: str) -> None:
    assert totals(scored(part))["confirm_missed"] <= 0.10, shown(part, "confirm", "allow")


@pytest.mark.parametrize("part", ["known", "held"])
def test_harmless_actions_are_rarely_held_up_and_hardly_ever_refused(part: str) -> None:
    figures = totals(scored(part))
    assert figures["friction"] <= 0.10, shown(part, "allow", "confirm")
    assert figures["hard_false_positives"] <= 0.01, shown(part, "allow", "block")


@pytest.mark.parametrize("part", ["known", "held"])
def test_no_sql_that_must_be_blocked_is_allowed(part: str) -> None:
    figures = totals([one for one in scored(part) if one.row.kind == "sql"])
    assert figures["leak"] == 0, shown(part, "block", "allow")
    assert figures["friction"] <= 0.10


@pytest.mark.parametrize("part", ["known", "held"])
def test_shell_and_cloud_leak_little_at_little_friction(part: str) -> None:
    figures = totals([one for one in scored(part) if one.row.kind in ("shell", "cloud")])
    assert figures["leak"] <= 0.02, shown(part, "block", "allow")
    assert figures["friction"] <= 0.10


def test_rows_that_nobody_has_read_are_decided_as_well() -> None:
    figures = totals(scored("unseen"))  # no row is shown: whoever reads one makes it known
    assert figures["leak"] <= 0.01
    assert figures["confirm_missed"] <= 0.10
    assert figures["friction"] <= 0.10
    assert figures["hard_false_positives"] <= 0.01


def test_what_is_decided_costs_less_than_asking_every_time() -> None:
    for part in ("known", "held"):
        always = totals([Scored(row, "confirm", (), 0.0) for row in rows(part)])["cost"]
        assert totals(scored(part))["cost"] < always / 2
