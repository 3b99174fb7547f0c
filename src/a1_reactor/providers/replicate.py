"""Predictions as Cog containers and Replicate serve them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import IO, Any

from a1_reactor.providers.http_contract import read_object
from a1_reactor.providers.pictures import from_data_uri
from a1_reactor.providers.remote_job import NotYet, watch
from a1_reactor.providers.service import WireService
from a1_reactor.providers.wire import Wire, open_all
from reactor_core.errors import ArtifactCorrupt, ProviderError

__all__ = ["PredictionService"]

_GOING_ON = ("starting", "processing")


class PredictionService(WireService):
    """A container's ``/predictions``, or a model of Replicate.

    POST ``{"input": ...}`` is answered when the prediction is done (Cog) or at once with ``urls.get`` to poll and
    ``urls.cancel`` (Replicate). The output is a URL, a data URL, or a list of them. Files go as data URLs.

    Args:
        wire: The endpoint; its time-out must hold a whole prediction where Cog answers only at the end.
        version: Replicate's version of a model, for ``/v1/predictions``; None sends none.
    """

    kind = "replicate"

    document_bytes = 1 << 20

    def __init__(self, wire: Wire, *, version: str | None = None, job_timeout_s: float = 3600.0) -> None:
        super().__init__(wire, job_timeout_s=job_timeout_s)
        self._version = version

    def run(self, document: Mapping[str, Any], *, max_bytes: int, max_files: int) -> list[IO[bytes]]:
        """Start, wait, fetch.

        Raises:
            ProviderError: See :class:`~a1_reactor.providers.hosted.Service`.
        """
        body: dict[str, Any] = {"input": dict(document)}
        if self._version is not None:
            body["version"] = self._version
        # A synchronous answer carries the files themselves.
        limit = max_bytes * 4 // 3 + self.document_bytes
        prediction = self._object("POST", None, json=body, max_bytes=limit, accept=(200, 201, 202))
        if prediction.get("status") in _GOING_ON:
            prediction = self._watched(prediction, limit)
        if prediction.get("status") != "succeeded":
            raise self._failed(prediction)
        output = prediction.get("output")
        urls = output if isinstance(output, list) else [output]
        if not urls or not all(isinstance(url, str) for url in urls):
            raise self._broken("the output is no URL and no list of URLs")
        openers = (partial(self._fetched, url, number, max_bytes) for number, url in enumerate(urls))
        return open_all(openers, most=max_files, shown=self.shown)

    def _watched(self, prediction: Mapping[str, Any], limit: int) -> dict[str, Any]:
        urls = prediction.get("urls")
        if not isinstance(urls, Mapping) or not all(isinstance(urls.get(name), str) for name in ("get", "cancel")):
            raise self._broken(
                "the prediction goes on, and names no address to ask again",
                remedy="without them Cog answers at the end only: leave out Prefer: respond-async",
            )
        where, cancel = self._wire.follow(urls["get"]), self._wire.follow(urls["cancel"])

        def ask() -> dict[str, Any] | NotYet:
            reply = self._wire.call("GET", where, max_bytes=limit)
            now = read_object(reply.read(), reply.url)
            return NotYet(reply.retry_after_s) if now.get("status") in _GOING_ON else now

        return watch(
            ask,
            cancel=lambda: self._wire.dismiss("POST", cancel),
            pulse=self._wire.pulse,
            timeout_s=self._job_timeout_s,
            what=f"prediction {str(prediction.get('id'))[:80]}",
        )

    def _failed(self, prediction: Mapping[str, Any]) -> ProviderError:
        said = str(prediction.get("error") or "no reason given")[:400]
        return self._broken(f"the prediction ended as {str(prediction.get('status'))[:40]}: {said}")

    def _fetched(self, url: str, number: int, max_bytes: int) -> IO[bytes]:
        if not url.startswith("data:"):
            return self._wire.fetch(url, max_bytes=max_bytes)
        try:
            return io.BytesIO(from_data_uri(url, f"output {number}"))
        except ArtifactCorrupt as error:
            raise self._broken(error.message) from error
