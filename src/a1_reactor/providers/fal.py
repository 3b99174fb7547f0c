"""The queue of fal: submit, poll the status, fetch the response (queue.fal.run)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import IO, Any

from a1_reactor.providers.remote_job import NotYet, watch
from a1_reactor.providers.service import WireService
from a1_reactor.providers.wire import open_all

__all__ = ["FalService"]


class FalService(WireService):
    """A model's queue, such as ``https://queue.fal.run/fal-ai/ltx-2/retake-video``.

    A job is submitted with POST; ``status_url`` says IN_QUEUE, IN_PROGRESS or COMPLETED, ``response_url`` holds the
    result, PUT to ``cancel_url`` calls it off. Files go as data URLs; results are fetched from the hosts in the wire's
    ``files_from``.
    """

    kind = "fal"

    def run(self, document: Mapping[str, Any], *, max_bytes: int, max_files: int) -> list[IO[bytes]]:
        """Submit, wait, fetch every file that the response names.

        Raises:
            ProviderError: See :class:`~a1_reactor.providers.hosted.Service`.
        """
        queued = self._object("POST", None, json=dict(document), accept=(200, 201, 202))
        status, response, cancel = (
            self._wire.follow(self._text(queued, name)) for name in ("status_url", "response_url", "cancel_url")
        )

        def ask() -> dict[str, Any] | NotYet:
            now = self._object("GET", status, accept=(200, 202))
            state = now.get("status")
            if state in ("IN_QUEUE", "IN_PROGRESS"):
                return NotYet()
            if state != "COMPLETED" or now.get("error"):
                raise self._broken(f"the job ended as {state}: {_said(now)}")
            return self._object("GET", response)

        result = watch(
            ask,
            cancel=lambda: self._wire.dismiss("PUT", cancel),
            pulse=self._wire.pulse,
            timeout_s=self._job_timeout_s,
            what=f"fal job {str(queued.get('request_id'))[:80]}",
        )
        openers = (partial(self._wire.fetch, url, max_bytes=max_bytes) for url in _urls(result))
        return open_all(openers, most=max_files, shown=self.shown)

    def _text(self, document: Mapping[str, Any], name: str) -> str:
        value = document.get(name)
        if not isinstance(value, str):
            raise self._broken(f"the reply has no {name!r}")
        return value


def _said(document: Mapping[str, Any]) -> str:
    return str(document.get("error") or "no reason given")[:400]


def _urls(value: Any) -> Iterator[str]:
    """Addresses of files in a response, in order: fal's files are objects with ``url``."""
    if isinstance(value, Mapping):
        if isinstance(value.get("url"), str):
            yield value["url"]
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _urls(item)
