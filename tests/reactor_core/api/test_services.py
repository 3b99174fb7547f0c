from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import AsyncIterator

import pytest
from tests.reactor_core.api.serving import until

from reactor_core.api.figures import RequestFigures
from reactor_core.api.limits import ApiLimits
from reactor_core.api.services import READERS, Services, on_signals
from reactor_core.errors import ConfigError
from reactor_core.utils.settings import Settings


@pytest.fixture
async def services(api_settings: Settings) -> AsyncIterator[Services]:
    opened = await Services.start(api_settings, ApiLimits(streams=3, streams_per_client=2), RequestFigures())
    yield opened
    await opened.stop()


async def test_readers_are_lent_and_waited_for(services: Services) -> None:
    lent = [services.reader() for _ in range(READERS)]
    for context in lent:
        await context.__aenter__()
    waiting = asyncio.create_task(services.reader().__aenter__())
    await asyncio.sleep(0)
    assert not waiting.done()
    await lent[0].__aexit__(None, None, None)
    store = await asyncio.wait_for(waiting, 10)
    assert store.get("no-such-id") is None


async def test_a_token_that_cannot_be_used_leaves_nothing_open(api_settings: Settings) -> None:
    api_settings.workspace.mkdir()
    (api_settings.workspace / "token").write_text("short")
    before = set(threading.enumerate())
    with pytest.raises(ConfigError):
        await Services.start(api_settings, ApiLimits(), RequestFigures())
    assert [thread.name for thread in set(threading.enumerate()) - before if "reactor" in thread.name] == []


async def test_an_open_address_of_this_process_is_warned_about(
    api_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listening, caplog.at_level(logging.WARNING):
        services = await Services.start(api_settings, ApiLimits(), RequestFigures())
        await asyncio.to_thread(until, lambda: f"port {listening.getsockname()[1]}" in caplog.text)
        await services.stop()
    assert services.token.value not in caplog.text


async def test_a_signal_is_heard_and_passed_on() -> None:
    heard: list[object] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    told = asyncio.Event()
    try:
        with on_signals(told.set):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(told.wait(), 10)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM] * 2


async def test_off_the_main_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def inside() -> bool:
        with on_signals(lambda: None):
            return signal.getsignal(signal.SIGTERM) is before

    assert await asyncio.to_thread(lambda: asyncio.run(inside()))
