"""What the routes stand on, opened once for the life of the application."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from starlette.requests import HTTPConnection

from a1_reactor.server import import_job
from a1_reactor.server.clips import ClipShelf
from a1_reactor.server.export_job import exports_of
from a1_reactor.server.import_job import uploads_of
from a1_reactor.server.views import KINDS
from reactor_core.api.limits import ApiLimits
from reactor_core.api.streams import OpenStreams
from reactor_core.events.doorbell import Ear
from reactor_core.events.latch import Latch
from reactor_core.jobs.job import Job, JobState
from reactor_core.jobs.supervisor import Supervisor
from reactor_core.jobs.table import JobTable
from reactor_core.utils.clock import Clock, SystemClock
from reactor_core.utils.settings import Settings
from reactor_core.utils.tokens import Token, workspace_token

__all__ = ["Services", "services_of"]

_log = logging.getLogger(__name__)


class Services(OpenStreams):
    """The jobs and the clips of one workspace, and who works on the jobs. Made by :meth:`start`.

    Args:
        settings: What the environment says.
        limits: What a client may ask.
        table: The jobs.
        supervisor: Works on them.
        token: What clients beyond this machine show.
        clock: Of the uptime.
    """

    def __init__(
        self,
        settings: Settings,
        limits: ApiLimits,
        table: JobTable,
        supervisor: Supervisor,
        token: Token,
        *,
        clock: Clock,
    ) -> None:
        super().__init__(limits)
        self.settings = settings
        self.table = table
        self.token = token
        self.shelf = ClipShelf(
            settings.a1_workspace, journal=table.path, usd_per_hour=settings.machine_price_usd_per_hour
        )
        self.uploads = uploads_of(settings.a1_workspace)
        self.exports = exports_of(settings.a1_workspace)
        self.latch = Latch(settings.workspace)
        self._supervisor = supervisor
        self._clock = clock
        self._started = clock.monotonic()
        self._ear: Ear | None = None

    @classmethod
    async def start(cls, settings: Settings, limits: ApiLimits, *, clock: Clock | None = None) -> Services:
        """Open the workspace, start to work on its jobs, and say where the token is if it is new.

        Raises:
            ReactorError: The workspace cannot be opened, or the token cannot be used.
        """

        def opened() -> Services:
            token = workspace_token(settings)
            table = JobTable(settings.workspace)
            try:
                environment = {
                    "A1_REACTOR_WORKSPACE": str(settings.a1_workspace.absolute()),
                    "A1_REACTOR_PROVIDER_ALLOW": ",".join(settings.provider_allow),
                }
                supervisor = Supervisor(table, slots=settings.a1_jobs, kinds=KINDS, environment=environment)
                supervisor.start()
            except BaseException:
                table.close()
                raise
            return cls(settings, limits, table, supervisor, token, clock=clock or SystemClock())

        services = await asyncio.to_thread(opened)
        if services.token.made:
            _log.warning(
                "made a token for clients beyond this machine (Authorization: Bearer): %s", services.token.path
            )
        services.listen()
        await asyncio.to_thread(services.sweep_files)
        return services

    async def stop(self) -> None:
        """End all streams, put down what is being made, and close the workspace."""
        self.end_streams()
        if self._ear is not None:
            self._ear.close()
        await asyncio.to_thread(self._supervisor.stop)
        await asyncio.to_thread(self.table.close)
        self.latch.close()

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the start."""
        return self._clock.monotonic() - self._started

    @property
    def fault(self) -> Exception | None:
        """Why nobody works on jobs any more; None while somebody does."""
        return self._supervisor.fault

    def listen(self) -> None:
        """Hear every change of a job, whichever process makes it. On the loop's thread."""
        self._ear = self.table.bell.listen(asyncio.get_running_loop(), self.wake)

    def sweep_files(self) -> None:
        """Remove files of a day ago that were sent or exported, but for those that a job still waits for."""
        waiting = self.table.jobs(states=["queued", "running", "paused"], kinds=[import_job.KIND], limit=10_000)
        self.uploads.sweep({str(job.spec.get("upload")) for job in waiting})
        self.exports.sweep()

    async def wait_for_end(self, job: Job, seconds: float) -> Job:
        """A job when it has ended or stands still, or as it is after so many seconds."""
        changed = asyncio.Event()
        changed.set()  # it may have changed since it was read
        with self.woken(changed.set), contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not (job.ended or job.state is JobState.PAUSED or self.closing):
                    await changed.wait()
                    changed.clear()  # before the look: what changes after it is seen by the next one
                    job = await asyncio.to_thread(self.table.get, job.job_id)
        return await asyncio.to_thread(self.table.get, job.job_id)


async def services_of(connection: HTTPConnection) -> Services:
    """The services of the application that a request came to; a dependency of the routes.

    A coroutine, though it waits for nothing: the framework runs plain functions on another thread.
    """
    services: Services = connection.app.state.services
    return services
