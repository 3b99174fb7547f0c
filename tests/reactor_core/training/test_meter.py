from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from reactor_core.training.meter import Totals, Turn, compute_parts, parts_hash

ROWS = [[4, 0], [2], [1, 3]]


class Told:
    """Takes the turns that it is given, after what it is given, and notes what it is told."""

    def __init__(self, turns: Sequence[Turn], before: Totals | None = None) -> None:
        self.turns, self.before = turns, before or Totals()
        self.begun: tuple[int, str] | None = None
        self.seen: list[tuple[int, float, int]] = []
        self.ended = 0

    def begin(self, parts: int, sha256: str, totals: Totals) -> Sequence[Turn]:
        self.begun = parts, sha256
        totals.turns, totals.loss, totals.computed = self.before.turns, self.before.loss, self.before.computed
        return self.turns

    def after(self, totals: Totals) -> None:
        self.seen.append((totals.turns, totals.loss, totals.computed))

    def end(self, totals: Totals) -> None:
        self.ended += 1


def run(meter: Told | None = None) -> tuple[Totals, torch.nn.Parameter]:
    """Part n has the loss ``w * 2**n``, and ``n + 1`` tokens."""
    weight = torch.nn.Parameter(torch.tensor(1.0))

    def compute(number: int, totals: Totals) -> tuple[torch.Tensor, int]:
        totals.kept["seen"][number] += 1
        return weight * 2**number, number + 1

    totals = Totals(kept={"seen": torch.zeros(len(ROWS))})
    return compute_parts(len(ROWS), compute, rows=lambda: ROWS, totals=totals, meter=meter), weight


def test_without_a_meter_every_part_is_computed() -> None:
    totals, weight = run()
    assert (totals.turns, totals.loss, totals.computed) == (3, 7.0, 6)
    assert weight.grad == 7.0


def test_a_meter_is_told_after_each_part_and_at_the_end() -> None:
    meter = Told([Turn(0), Turn(1), Turn(2)])
    run(meter)
    assert meter.begun == (3, parts_hash(ROWS))
    assert meter.seen == [(1, 1.0, 1), (2, 3.0, 3), (3, 7.0, 6)]
    assert meter.ended == 1


def test_a_step_goes_on_in_its_middle_from_what_came_before() -> None:
    totals, weight = run(Told([Turn(2)], Totals(turns=2, loss=3.0, computed=3)))
    assert (totals.turns, totals.loss, totals.computed) == (3, 7.0, 6)
    assert weight.grad == 4.0


def test_a_turn_that_does_not_count_keeps_company_and_adds_nothing() -> None:
    totals, weight = run(Told([Turn(1), Turn(0, counts=False)]))
    assert (totals.turns, totals.loss, totals.computed) == (2, 2.0, 2)
    assert weight.grad == 2.0
    assert totals.kept["seen"].tolist() == [0, 1, 0]


@pytest.mark.parametrize("other", [[[0, 4], [2], [1, 3]], [[4, 0, 2], [1, 3]], [[4, 0], [2]]])
def test_other_parts_have_another_hash(other: list[list[int]]) -> None:
    assert parts_hash(ROWS) == parts_hash(iter(ROWS))
    assert parts_hash(other) != parts_hash(ROWS)
