from __future__ import annotations

import asyncio

import pytest
from tests.a1_reactor.server.conftest import settings_in

from a1_reactor.server.services import Services
from reactor_core.api.limits import ApiLimits
from reactor_core.jobs.job import JobState


@pytest.fixture
async def services(tmp_path, monkeypatch):
    monkeypatch.setattr("reactor_core.jobs.supervisor.Supervisor.start", lambda self: None)
    services = await Services.start(settings_in(tmp_path), ApiLimits(streams=3, streams_per_client=2))
    yield services
    await services.stop()


async def test_who_waits_for_a_job_is_woken_by_its_end(services):
    job, _ = services.table.submit("k", {})
    waiting = asyncio.create_task(services.wait_for_end(job, 30))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await asyncio.to_thread(services.table.cancel, job.job_id)
    async with asyncio.timeout(10):
        assert (await waiting).state is JobState.CANCELED


async def test_waiting_ends_by_itself_and_when_the_server_goes_down(services):
    job, _ = services.table.submit("k", {})
    assert (await services.wait_for_end(job, 0.05)).state is JobState.QUEUED
    waiting = asyncio.create_task(services.wait_for_end(job, 30))
    await asyncio.sleep(0.05)
    services.end_streams()
    async with asyncio.timeout(10):
        assert (await waiting).state is JobState.QUEUED


async def test_a_paused_job_is_not_waited_for(services):
    job, _ = services.table.submit("k", {})
    waiting = asyncio.create_task(services.wait_for_end(job, 30))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(services.table.pause, job.job_id)
    async with asyncio.timeout(10):
        assert (await waiting).state is JobState.PAUSED
