from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from reactor_core.errors import Halted, NotFound, TrainingError
from reactor_core.events.latch import Latch
from reactor_core.training.control import RunControl, State, Status, Wish, ask_run, read_status, stand_still


def test_a_wish_counts_from_the_claim_to_the_release(tmp_path: Path) -> None:
    control = RunControl()
    control.ask(Wish.STOP)
    control.claim()
    control.begin(tmp_path, 0)
    assert control.wish() is Wish.RUN
    control.ask(Wish.STOP)
    assert control.wish() is Wish.STOP
    control.end(3)
    control.release()
    control.claim()
    control.begin(tmp_path, 3)
    assert control.wish() is Wish.RUN


def test_one_trainer_has_one_run(tmp_path: Path) -> None:
    control = RunControl()
    control.claim()
    with pytest.raises(TrainingError, match="training already"):
        control.claim()
    control.release()
    control.claim()


def test_a_wish_while_the_model_is_loaded_is_kept(tmp_path: Path) -> None:
    control = RunControl()
    control.claim()
    control.ask(Wish.PAUSE)
    control.begin(tmp_path, 0)
    assert control.wish() is Wish.PAUSE


def test_a_paused_run_wakes_as_soon_as_it_is_wanted(tmp_path: Path) -> None:
    control = RunControl()
    control.claim()
    control.begin(tmp_path, 0)
    control.ask(Wish.PAUSE)
    threading.Thread(target=control.ask, args=(Wish.RUN,)).start()
    while control.wait() is Wish.PAUSE:
        pass
    assert control.wish() is Wish.RUN


def test_a_stop_hastens_the_run_whenever_it_was_asked_for(tmp_path: Path) -> None:
    control, told = RunControl(), []
    control.claim()
    control.begin(tmp_path, 0)
    with control.hastening(told.append):
        control.ask(Wish.PAUSE)
        control.ask(Wish.RUN)
        assert told == []
        control.ask(Wish.STOP)
    with control.hastening(told.append):
        assert told == ["a request", "a request"]
    control.ask(Wish.STOP)
    assert len(told) == 2


async def test_tasks_wait_for_a_state_that_a_thread_reaches(tmp_path: Path) -> None:
    control = RunControl()
    control.claim()
    waiting = asyncio.create_task(control.reached(State.PAUSED, State.IDLE))
    control.begin(tmp_path, 0)
    await asyncio.sleep(0)
    assert not waiting.done()
    await asyncio.to_thread(control.move, State.PAUSED, 4)
    assert await waiting is State.PAUSED
    assert await control.reached(State.PAUSED) is State.PAUSED


def test_another_process_asks_through_the_folder_and_waits_until_it_is_done(tmp_path: Path) -> None:
    control = RunControl()
    control.claim()
    control.begin(tmp_path, 5)
    script = (
        "import sys, pathlib\n"
        "from reactor_core.training.control import Wish, ask_run\n"
        "print(ask_run(pathlib.Path(sys.argv[1]), Wish.PAUSE, by='dev', seconds=30).state)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    while control.wish() is not Wish.PAUSE:
        assert other.poll() is None
    control.move(State.PAUSED, 5)
    answer, _ = other.communicate(timeout=30)
    assert (other.returncode, answer.strip()) == (0, "paused")


def test_a_run_whose_process_is_gone_is_idle_and_cannot_be_asked(tmp_path: Path) -> None:
    assert read_status(tmp_path) is None
    (tmp_path / "status.json").write_bytes(
        msgspec.json.encode(Status(State.RUNNING, 3, "2026-11-21T00:00:00Z", os.getpid(), born=1.0))
    )
    status = read_status(tmp_path)
    assert status is not None
    assert (status.state, status.step) == (State.IDLE, 3)
    with pytest.raises(NotFound, match="no run is going on"):
        ask_run(tmp_path, Wish.STOP, by="dev")


def test_a_run_that_does_not_answer_in_time_is_an_error(tmp_path: Path) -> None:
    control = RunControl()
    control.claim()
    control.begin(tmp_path, 0)
    with pytest.raises(TrainingError, match="not reached paused"):
        ask_run(tmp_path, Wish.PAUSE, by="dev", seconds=0.1)


def test_a_wish_that_cannot_be_read_is_no_wish(tmp_path: Path) -> None:
    control = RunControl()
    control.claim()
    control.begin(tmp_path, 0)
    (tmp_path / "control.json").write_text('{"wish": "fly"}')
    assert control.wish() is Wish.RUN


def test_a_tripped_switch_is_halted_with_the_way_on(tmp_path: Path) -> None:
    latch = Latch(tmp_path)
    stand_still(latch)
    latch.trip(reason="enough")
    with pytest.raises(Halted, match="enough") as caught:
        stand_still(latch)
    assert "reactor kill reset" in str(caught.value.remedy)
