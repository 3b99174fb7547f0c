from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import TrainingError
from reactor_core.training.distributed.turns import RankMeter, turns_of
from reactor_core.training.distributed.world import World
from reactor_core.training.meter import Totals, Turn


@given(st.integers(1, 40), st.integers(1, 8))
def test_every_part_counts_once_and_all_take_as_many_turns(parts: int, size: int) -> None:
    turns = [turns_of(parts, rank=rank, size=size) for rank in range(size)]
    assert sorted(turn.number for mine in turns for turn in mine if turn.counts) == list(range(parts))
    assert {len(mine) for mine in turns} == {-(-parts // size)}
    assert all(0 <= turn.number < parts for mine in turns for turn in mine)


def test_parts_follow_each_other_through_the_processes() -> None:
    assert turns_of(3, rank=0, size=2) == [Turn(0), Turn(2)]
    assert turns_of(3, rank=1, size=2) == [Turn(1), Turn(0, counts=False)]


class Doubled(World):
    """A process whose only company does exactly the same."""

    size = 2

    def sums(self, values):  # type: ignore[no-untyped-def]
        return [2 * value for value in values]

    def add_up(self, tensors):  # type: ignore[no-untyped-def]
        for tensor in tensors:
            tensor.mul_(2)


def test_a_step_is_the_sum_over_all_processes() -> None:
    touched, untouched = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    touched.grad = torch.tensor([1.0, -2.0])
    totals = Totals(turns=3, loss=0.25, computed=10, kept={"log_ratios": torch.ones(2, 2)})
    RankMeter(Doubled(), [touched, untouched]).end(totals)
    assert (totals.loss, totals.computed, totals.turns) == (0.5, 20, 3)
    assert totals.kept["log_ratios"].tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert touched.grad.tolist() == [2.0, -4.0]
    assert untouched.grad is None


class Other(World):
    """A process that is not the first."""

    rank, size = 1, 2

    def follow(self, value):  # type: ignore[no-untyped-def]
        return f"not {value}"


def test_a_process_with_other_rows_is_refused() -> None:
    with pytest.raises(TrainingError, match="process 1 takes other rows than the first one"):
        RankMeter(Other(), []).begin(2, "sha", Totals())
