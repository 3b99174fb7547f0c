from __future__ import annotations

import asyncio
import json

import pytest
from tests.a1_reactor.server.conftest import settings_in

from a1_reactor.server import job_stream
from a1_reactor.server.job_stream import JobStream
from a1_reactor.server.services import Services
from reactor_core.api.limits import ApiLimits
from reactor_core.jobs.job import Owner


@pytest.fixture
async def services(tmp_path, monkeypatch):
    monkeypatch.setattr("reactor_core.jobs.supervisor.Supervisor.start", lambda self: None)
    services = await Services.start(settings_in(tmp_path), ApiLimits(stalled_seconds=0.2))
    yield services
    await services.stop()


class Reader:
    """The other end of an answer."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.left = asyncio.Event()
        self.began = asyncio.Event()
        self.idle = asyncio.Event()
        self.stuck = False
        self.complete = False

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if self.stuck:
            await asyncio.sleep(60)
        self.parts.append(message.get("body", b""))
        if b"id: " in self.parts[-1]:
            self.began.set()
        if self.parts[-1].startswith(b": still here"):
            self.idle.set()
        self.complete = message["type"] == "http.response.body" and not message["more_body"]

    def events(self) -> list[tuple[int, str, dict]]:
        found = []
        for block in b"".join(self.parts).decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "data" in fields:
                found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
        return found


async def follow(services, job, reader, after=0):
    left = []
    await JobStream(services, job, after, leave=lambda: left.append(1))({}, reader.receive, reader.send)
    assert left == [1]


async def test_all_is_told_to_the_end_and_a_second_reader_goes_on_where_the_first_was(services):
    job, _ = services.table.submit("k", {})
    reader = Reader()
    following = asyncio.create_task(follow(services, job, reader))
    held = await asyncio.to_thread(services.table.claim, Owner("here", 1, 1.0))
    for step in range(3):
        await asyncio.to_thread(services.table.advance, job.job_id, held.token, phase="make", progress=step / 3)
    await asyncio.to_thread(services.table.succeed, job.job_id, held.token, {})
    async with asyncio.timeout(10):
        await following
    assert reader.complete
    events = reader.events()
    assert [number for number, _, _ in events] == list(range(1, 7))
    assert [kind for _, kind, _ in events] == ["state", "state", "progress", "progress", "progress", "state"]
    assert events[-1][2]["state"] == "succeeded"
    second = Reader()
    await follow(services, job, second, after=4)
    assert second.events() == events[4:]


async def test_it_ends_when_the_reader_leaves(services):
    job, _ = services.table.submit("k", {})
    reader = Reader()
    reader.left.set()
    async with asyncio.timeout(10):
        await follow(services, job, reader)
    assert not reader.complete


async def test_it_ends_when_the_reader_takes_nothing_any_more(services):
    job, _ = services.table.submit("k", {})
    reader = Reader()
    following = asyncio.create_task(follow(services, job, reader))
    async with asyncio.timeout(10):
        await reader.began.wait()
        reader.stuck = True
        await asyncio.to_thread(services.table.cancel, job.job_id)
        await following
    assert not reader.complete


async def test_it_ends_when_the_server_goes_down(services):
    job, _ = services.table.submit("k", {})
    reader = Reader()
    following = asyncio.create_task(follow(services, job, reader))
    async with asyncio.timeout(10):
        await reader.began.wait()
        services.end_streams()
        await following
    assert reader.complete


async def test_an_idle_stream_says_that_it_is_there_and_a_deleted_job_ends_it(services, monkeypatch):
    monkeypatch.setattr(job_stream, "KEEP_ALIVE_SECONDS", 0.05)
    job, _ = services.table.submit("k", {})
    reader = Reader()
    following = asyncio.create_task(follow(services, job, reader))
    async with asyncio.timeout(10):
        await reader.idle.wait()
        services.table.cancel(job.job_id)
        services.table.delete(job.job_id)
        await following
    assert reader.complete
