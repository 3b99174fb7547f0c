import dataclasses

import pytest

from reactor_core.cost.prices import stated_price
from reactor_core.training.pace import Pace
from reactor_core.training.plan import MIB, Memory, Plan
from reactor_core.training.plan_view import duration, plan_lines
from reactor_core.training.workload import Workload
from reactor_core.utils.environment_memory import GIB, MemoryRoom

PLAN = Plan(
    path="generic",
    why="there is dropout",
    memory=Memory(400 * MIB, 500 * MIB, 20 * MIB, 40 * MIB, 40 * MIB, 300 * MIB, 15 * MIB, 64 * MIB),
    room=MemoryRoom(8 * GIB, 4 * GIB, "the system has 4.0 of 8.0 GiB free"),
    work=Workload(1000, 125, 200_000, 150_000, (), 640, 2.5, several=True, seen=48),
    flops=10**15,
    seconds=5400.0,
    pace=Pace("a probe"),
    price=stated_price(0.10),
    checkpoint_bytes=60 * MIB,
    checkpoint_seconds=46.0,
)


def test_a_plan_reads_line_by_line():
    text = "\n".join(plan_lines(PLAN, []))
    for said in (
        "about 1.35 GiB at the highest; the system has 4.0 of 8.0 GiB free",
        "500 MiB  frozen weights",
        "generic, because there is dropout",
        "125 steps of 2.5 parts of at most 640 tokens",
        "about 1.5 h, by a probe",
        "about $0.15, at $0.1000 an hour",
        "60 MiB, at first every 46 s",
        "it fits",
    ):
        assert said in text


def test_without_a_price_the_reason_stands_there_and_helpful_options_last():
    tight = dataclasses.replace(PLAN, price=None, room=MemoryRoom(GIB, 1, "a test"))
    lines = plan_lines(tight, ["gradient_checkpointing=True: about 0.9 GiB"])
    assert any("unknown: no price is stated" in line for line in lines)
    assert lines[-2:] == ["it does not fit", "         would fit: gradient_checkpointing=True: about 0.9 GiB"]


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (42.4, "42 s"), (600, "10 min"), (9000, "2.5 h")])
def test_durations_are_as_coarse_as_an_estimate(seconds, said):
    assert duration(seconds) == said
