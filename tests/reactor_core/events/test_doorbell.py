from __future__ import annotations

import asyncio
import os
import resource
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reactor_core.events import doorbell
from reactor_core.events.doorbell import Doorbell


async def hears(bell: Doorbell, ring) -> None:
    heard = asyncio.Event()
    ear = bell.listen(asyncio.get_running_loop(), heard.set)
    try:
        ring()
        async with asyncio.timeout(20):
            await heard.wait()
    finally:
        ear.close()


async def test_a_ring_of_another_bell_of_the_folder_is_heard(tmp_path: Path):
    await hears(Doorbell(tmp_path), Doorbell(tmp_path).ring)


async def test_a_ring_of_another_process_is_heard(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path; from reactor_core.events.doorbell import Doorbell\n"
        "Doorbell(Path(sys.argv[1])).ring()"
    )
    await hears(Doorbell(tmp_path), lambda: subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True))


async def test_all_who_listen_are_woken(tmp_path: Path):
    bell = Doorbell(tmp_path)
    heard = [asyncio.Event() for _ in range(5)]
    ears = [Doorbell(tmp_path).listen(asyncio.get_running_loop(), each.set) for each in heard]
    bell.ring()
    async with asyncio.timeout(20):
        for each in heard:
            await each.wait()
    for ear in ears:
        ear.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify")
async def test_nothing_is_heard_and_nothing_runs_while_it_is_quiet(tmp_path: Path):
    bell, calls = Doorbell(tmp_path), []
    ear = bell.listen(asyncio.get_running_loop(), lambda: calls.append(None))
    assert ear.woken
    await asyncio.sleep(5 * doorbell.POLL_SECONDS)
    assert calls == []
    ear.close()


async def test_where_the_kernel_has_no_watch_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "other")
    bell = Doorbell(tmp_path)
    heard = asyncio.Event()
    ear = bell.listen(asyncio.get_running_loop(), heard.set)
    assert not ear.woken
    async with asyncio.timeout(20):
        for _ in range(3):  # again and again, rung or not
            heard.clear()
            await heard.wait()
    ear.close()
    heard.clear()
    await asyncio.sleep(3 * doorbell.POLL_SECONDS)
    assert not heard.is_set()


def test_a_watch_that_the_kernel_refuses_is_none(tmp_path: Path):
    bell = Doorbell(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptor, hard))
        assert bell.watch() is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(descriptor)


def test_a_thread_can_wait_for_the_bell(tmp_path: Path):
    bell = Doorbell(tmp_path)
    watched = bell.watch()
    if watched is None:
        pytest.skip("no inotify here")
    timer = threading.Timer(0.05, bell.ring)
    timer.start()
    begun = time.monotonic()
    doorbell.wait_readable(watched, 20)
    assert time.monotonic() - begun < 15
    doorbell.drain(watched)
    assert select.select([watched], [], [], 0)[0] == []
    os.close(watched)
    timer.join()


def test_the_bell_is_one_small_private_file_however_often_it_rings(tmp_path: Path):
    bell = Doorbell(tmp_path)
    for _ in range(100):
        bell.ring()
    (file,) = tmp_path.iterdir()
    assert (file.stat().st_size, file.stat().st_mode & 0o777) == (1, 0o600)


def test_ringing_never_raises(tmp_path: Path):
    Doorbell(tmp_path / "absent" / "folder").ring()
    bell = Doorbell(tmp_path)
    bell.ring()
    bell.close()
    (tmp_path / "bell").unlink()
    bell.ring()
    assert list(tmp_path.iterdir()) == []  # closed: not made again
