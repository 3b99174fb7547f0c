"""The parts of the benchmarks of events that decide what is counted."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

HERE = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def benchmarks() -> Iterator[SimpleNamespace]:
    """The scripts as modules; they import each other by name, as scripts do."""
    sys.path.insert(0, str(HERE))
    names = ("_events", "_harness", "events_publish", "events_kill", "events_memory")
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(str(HERE))
        for name in names:
            sys.modules.pop(name, None)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_event_has_the_size_that_the_page_names(benchmarks):
    assert len(msgspec.json.encode(benchmarks._events.EVENT)) == 363


async def test_a_storm_counts_every_call_and_lets_so_many_wait_at_a_time(benchmarks):
    calls = waiting = most = 0

    async def publish() -> None:
        nonlocal calls, waiting, most
        calls += 1
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0)
        waiting -= 1

    done, wall = await benchmarks.events_publish.storm(publish, 7, 0.05)
    assert done == calls > 7
    assert most == 7
    assert wall >= 0.05


def test_processor_time_counts_this_process_and_the_others(benchmarks):
    processors = benchmarks._events.Processors(())
    begun = time.process_time()
    while time.process_time() - begun < 0.02:
        pass
    assert 0.02 <= processors.seconds() < 1


def test_a_consumer_answers_when_it_has_handled_as_many_as_it_was_told(benchmarks, monkeypatch, capsys):
    count = benchmarks.events_publish.Count()
    for _ in range(3):
        count.add()
    at = count.at
    monkeypatch.setattr(sys, "stdin", io.StringIO("2\n3\n"))
    count.answer()
    assert capsys.readouterr().out.splitlines() == ["ready", *([json.dumps({"at": at})] * 2)]


def publish_runs(ours: float, peer: float) -> dict[str, object]:
    def runs(rate: float) -> list[dict[str, float]]:
        return [{"rate": rate, "cpu_us": 1e6 / rate}]

    return {case: {"ours": runs(ours), "faststream": runs(peer)} for case in ("acks-1", "acks-32", "batched")}


def test_each_case_gives_a_line_for_speed_and_one_for_processor_time(benchmarks, capsys):
    pytest.importorskip("faststream", reason="the bench extra is not installed")
    benchmarks.events_publish.report(publish_runs(12_000, 1_000), quick=False)
    found = lines(capsys)
    assert [line["unit"] for line in found] == ["events/s", "us"] * 3
    assert [line["holds"] for line in found] == [None, None, True, False, False, None]
    assert found[2]["ratio"] == found[3]["ratio"] == 12


def test_the_peer_with_our_promise_is_shown_beside_and_decides_nothing(benchmarks, capsys):
    pytest.importorskip("faststream", reason="the bench extra is not installed")
    assert benchmarks.events_publish.sides_of("acks-32") == ("ours", "faststream", "faststream-synced")
    assert benchmarks.events_publish.sides_of("end-to-end") == ("ours", "faststream")
    runs = {side: [{"rate": rate, "cpu_us": 1.0}] for side, rate in (("ours", 9.0), ("faststream-synced", 3.0))}
    benchmarks.events_publish.report({"acks-32": runs}, quick=False)
    found = lines(capsys)
    assert [line["holds"] for line in found] == [None, None]
    assert found[0]["ratio"] == 3
    assert found[0]["peer_name"].endswith("AOF always")


def test_a_quick_run_decides_nothing(benchmarks, capsys):
    pytest.importorskip("faststream", reason="the bench extra is not installed")
    benchmarks.events_publish.report(publish_runs(60_000, 1_000), quick=True)
    assert {line["holds"] for line in lines(capsys)} == {None}


def test_a_kill_counts_only_while_the_backlog_is_there(benchmarks):
    told = {"normal": 400, "seconds": [0.003, 0.001, 0.002]}
    assert benchmarks.events_kill.judged(told, 1_400, 1_000) == {
        "median": 0.002, "worst": 0.003, "behind": 1_000, "trials": 3,
    }  # fmt: skip
    with pytest.raises(RuntimeError, match="only 999 events waited"):
        benchmarks.events_kill.judged(told, 1_399, 1_000)


def test_the_kill_goal_is_in_milliseconds_whatever_the_peer_does(benchmarks, capsys):
    pytest.importorskip("faststream", reason="the bench extra is not installed")

    def runs(median: float, worst: float) -> list[dict[str, float]]:
        return [{"median": median, "worst": worst, "trials": 200}]

    options = {"backlog": 100_000, "small": 6_000}
    sides = {"ours": runs(0.019, 0.101), "peer-two-streams": runs(0.002, 0.005), "peer-one-stream": runs(9, 9)}
    benchmarks.events_kill.report(sides, quick=False, options=options)
    assert [line["holds"] for line in lines(capsys)] == [True, False, True, False]


def test_memory_is_watched_while_it_grows(benchmarks):
    memory = benchmarks.events_memory.Memory(os.getpid())
    before = memory.now
    block = bytearray(b"x" * (64 << 20))
    deadline = time.monotonic() + 30
    while memory.peak - before < 32 << 20 and time.monotonic() < deadline:
        time.sleep(0.005)
    memory.stop()
    assert memory.peak - before >= 32 << 20
    assert block


def test_the_memory_goal_is_in_mebibytes_and_in_speed_of_the_other(benchmarks, capsys):
    runs = {
        "ours": [{"grown": 63 << 20, "alone": 1_000.0, "beside": 899.0}],
        "peer": [{"grown": 440 << 20}],
    }
    benchmarks.events_memory.report(runs, quick=False, backlog=1_000_000)
    assert [line["holds"] for line in lines(capsys)] == [True, False]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["events_publish", "events_kill", "events_memory"])
def test_a_quick_run_measures_everything(benchmarks, name):
    pytest.importorskip("faststream", reason="the bench extra is not installed")
    done = subprocess.run(
        [sys.executable, str(HERE / f"{name}.py"), "--quick"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=280,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found
    assert {line["benchmark"] for line in found} == {name}
    assert all(line["ours"] > 0 and line["peer"] > 0 for line in found)
