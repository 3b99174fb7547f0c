"""What the services of other people have in common: an endpoint, files as data URLs, JSON objects, jobs that end."""

from __future__ import annotations

from typing import Any

from a1_reactor.providers.endpoint import Endpoint
from a1_reactor.providers.http_contract import read_object
from a1_reactor.providers.pictures import data_uri
from a1_reactor.providers.wire import Wire
from reactor_core.errors import ProviderError

__all__ = ["WireService"]


class WireService:
    """Base of the services that are spoken to over a wire; each adds its ``kind`` and its ``run``.

    Args:
        wire: The endpoint, and how it may be called.
        job_timeout_s: Longest that a job may take.
    """

    document_bytes = 1 << 22
    """Longest JSON document."""

    def __init__(self, wire: Wire, *, job_timeout_s: float = 3600.0) -> None:
        self._wire = wire
        self._job_timeout_s = job_timeout_s

    @property
    def shown(self) -> str:
        """The endpoint, for messages and keys."""
        return self._wire.shown

    def upload(self, data: bytes, content_type: str, name: str) -> str:  # noqa: ARG002  a data URL has no name
        """The file as a data URL."""
        return data_uri(data, content_type)

    def _object(self, method: str, target: Endpoint | str | None, **options: Any) -> dict[str, Any]:
        """Send a request whose answer is a JSON object.

        Args:
            target: Where to, also in the words of a reply; None for the endpoint.
            options: As ``Wire.call``.
        """
        options.setdefault("max_bytes", self.document_bytes)
        target = self._wire.follow(target) if isinstance(target, str) else target
        reply = self._wire.call(method, target, **options)
        return read_object(reply.read(), reply.url)

    def _broken(self, problem: str, *, remedy: str | None = None) -> ProviderError:
        """The service did not keep to its contract, or its job failed."""
        return ProviderError(f"provider endpoint {self.shown}: {problem}", remedy=remedy)
