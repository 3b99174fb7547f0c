"""Workflows of a ComfyUI server: upload, queue, poll the history, view the outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import IO, Any

import httpx

from a1_reactor.providers.multipart import Part, join_parts
from a1_reactor.providers.remote_job import NotYet, watch
from a1_reactor.providers.service import WireService
from a1_reactor.providers.wire import Wire, open_all
from reactor_core.utils.ids import new_id

__all__ = ["ComfyService"]

_FILES = ("images", "gifs", "video", "videos")
"""Keys under which nodes name their files; the video nodes in use write ``gifs``."""


class ComfyService(WireService):
    """A server, by its base address.

    The template is the workflow in API form (menu "Export (API)"), with blanks as values. POST ``/upload/image`` takes
    files, POST ``/prompt`` queues, ``/history/{id}`` says how it ended, ``/view`` gives files; a job is called off by
    taking it from ``/queue`` and by ``/interrupt``.

    Args:
        wire: The base address, such as ``http://127.0.0.1:8188``.
        output_node: Number of the node whose files are the frames; None takes the only node that has any.
    """

    kind = "comfyui"

    document_bytes = 1 << 24

    def __init__(self, wire: Wire, *, output_node: str | None = None, job_timeout_s: float = 3600.0) -> None:
        super().__init__(wire, job_timeout_s=job_timeout_s)
        self._output_node = output_node

    def upload(self, data: bytes, content_type: str, name: str) -> str:
        """Put a file into the server's input folder, under a name of its own; returns that name."""
        disposition = f'form-data; name="image"; filename="reactor_{new_id()}_{name}"'
        fields = [Part({"Content-Disposition": disposition, "Content-Type": content_type}, data)]
        fields += [
            Part({"Content-Disposition": f'form-data; name="{field}"'}, value.encode())
            for field, value in (("type", "input"), ("overwrite", "false"))
        ]
        body, boundary = join_parts(fields)
        reply = self._object(
            "POST", "/upload/image", content=body, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"}
        )
        stored, folder = reply.get("name"), reply.get("subfolder") or ""
        if not isinstance(stored, str) or not isinstance(folder, str):
            raise self._broken("the upload has no name")
        return f"{folder}/{stored}" if folder else stored

    def run(self, document: Mapping[str, Any], *, max_bytes: int, max_files: int) -> list[IO[bytes]]:
        """Queue the workflow, wait, fetch the output node's files.

        Raises:
            ProviderError: See :class:`~a1_reactor.providers.hosted.Service`.
        """
        queued = self._object("POST", "/prompt", json={"prompt": dict(document), "client_id": new_id()})
        number = queued.get("prompt_id")
        if not isinstance(number, str) or not number.replace("-", "").isalnum() or queued.get("node_errors"):
            raise self._broken(f"the workflow was not queued: {str(queued.get('node_errors'))[:400]}")

        def ask() -> dict[str, Any] | NotYet:
            entry = self._object("GET", f"/history/{number}").get(number)
            if not isinstance(entry, dict):
                return NotYet()
            status = entry.get("status")
            if isinstance(status, Mapping) and status.get("status_str") == "error":
                raise self._broken(f"the workflow failed: {_reason(status)}")
            return entry

        def cancel() -> None:
            self._wire.dismiss("POST", self._wire.follow("/queue"), json={"delete": [number]})
            self._wire.dismiss("POST", self._wire.follow("/interrupt"), json={"prompt_id": number})

        entry = watch(
            ask, cancel=cancel, pulse=self._wire.pulse, timeout_s=self._job_timeout_s, what=f"workflow {number}"
        )
        openers = (
            partial(self._wire.fetch, f"/view?{query}", max_bytes=max_bytes)
            for query in self._queries(entry.get("outputs"))
        )
        return open_all(openers, most=max_files, shown=self.shown)

    def _queries(self, outputs: Any) -> Iterator[httpx.QueryParams]:
        """What ``/view`` is asked for, one for each file of the output node."""
        found = {
            node: [entry for key in _FILES for entry in (files.get(key) or [])]
            for node, files in (outputs.items() if isinstance(outputs, Mapping) else ())
            if isinstance(files, Mapping)
        }
        named = [node for node, files in found.items() if files]
        node = self._output_node if self._output_node is not None else named[0] if len(named) == 1 else None
        if node is None:
            raise self._broken(
                f"{len(named)} nodes of the workflow made files",
                remedy="name the one with the frames as output_node",
            )
        for entry in found.get(node, []):
            if not isinstance(entry, Mapping) or not isinstance(entry.get("filename"), str):
                raise self._broken("an output has no filename")
            yield httpx.QueryParams({key: str(entry.get(key) or "") for key in ("filename", "subfolder", "type")})


def _reason(status: Mapping[str, Any]) -> str:
    """The exception that ended a workflow, out of its messages."""
    for message in status.get("messages") or ():
        if isinstance(message, list) and len(message) == 2 and message[0] == "execution_error":
            told = message[1] if isinstance(message[1], Mapping) else {}
            return f"{told.get('node_type', '')}: {told.get('exception_message', '')}".strip()[:400]
    return "no reason given"
