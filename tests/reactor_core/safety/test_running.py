from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from pathlib import Path

import pytest

from reactor_core.errors import Halted
from reactor_core.safety.running import Process, on_thread, outlast


def start(*words: str, ended=lambda process: None, stdin: int | None = subprocess.DEVNULL) -> Process:
    popen = subprocess.Popen(words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    return Process(popen, ended)


def test_the_end_is_told_once_however_often_it_is_asked_for() -> None:
    told = []
    process = start("true", ended=lambda popen: told.append(popen.returncode))
    assert process.communicate(None, None) == (b"", b"", False)
    assert (process.wait_sync(), process.poll(), told) == (0, 0, [0])


def test_a_program_whose_time_is_over_dies_with_its_group() -> None:
    process = start("sh", "-c", "sleep 1000 & echo $!; wait")
    out, _, late = process.communicate(None, 0.5)
    assert late
    assert process.poll() == -9
    child = int(out)
    # The child belongs to nobody now; until somebody asks for its status it is a zombie.
    status = Path(f"/proc/{child}/stat")
    assert not status.exists() or status.read_text().split(")")[1].split()[0] == "Z"


def test_waiting_has_an_end() -> None:
    process = start("sleep", "1000")
    with pytest.raises(TimeoutError, match="goes on"):
        process.wait_sync(0.01)
    process.kill()
    assert process.poll() == -9
    process.communicate(None, None)


def test_what_is_given_is_read() -> None:
    process = start("cat", stdin=subprocess.PIPE)
    assert process.communicate(b"hello", None)[0] == b"hello"


def test_a_halt_reaches_everybody_who_waits_and_not_who_only_notes_the_end() -> None:
    def ended(_: object) -> None:
        raise Halted("enough")

    with pytest.raises(Halted):
        start("true", ended=ended).communicate(None, None)
    noted = start("true", ended=ended)
    outlast(noted)
    with pytest.raises(Halted):
        noted.communicate(None, None)


def test_nobody_goes_on_before_the_end_is_written_down() -> None:
    told, go_on = threading.Event(), threading.Event()
    written = []

    def ended(_: object) -> None:
        told.set()
        assert go_on.wait(20)
        written.append("ended")

    process = start("true", ended=ended)
    first = threading.Thread(target=outlast, args=(process,))
    first.start()
    assert told.wait(20)
    threading.Timer(0.05, go_on.set).start()
    process.wait_sync()
    assert written == ["ended"]
    first.join()
    process.communicate(None, None)


async def test_a_call_on_a_thread_of_its_own_gives_back_what_it_gives() -> None:
    assert await on_thread(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await on_thread(lambda: 1 / 0)


async def test_many_waiting_calls_do_not_wait_for_each_other() -> None:
    calls = (os.cpu_count() or 1) + 40
    all_there = threading.Barrier(calls, timeout=20)
    await asyncio.gather(*(on_thread(all_there.wait) for _ in range(calls)))
