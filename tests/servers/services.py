"""Loopback servers that speak the contracts of fal's queue, of Cog and Replicate, and of ComfyUI.

Each takes the frames of the video it is sent, brightens them, and answers as the service does; what goes wrong is the
test's choice. Shapes: fal's queue API (queue.fal.run), cog/docs/http.md and Replicate's HTTP API, ComfyUI's server.py.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np
from tests.servers.frames_v2 import Quiet, listening, png


def decode(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def encode(frames: list[np.ndarray], container_format: str = "mp4") -> bytes:
    stream = io.BytesIO()
    with av.open(stream, "w", format=container_format) as container:
        video = container.add_stream("libx264", rate=Fraction(24), options={"crf": "1", "preset": "ultrafast"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(video.encode())
    return stream.getvalue()


def from_data_url(url: str) -> bytes:
    return base64.b64decode(url.partition(",")[2])


def brightened(data: bytes) -> bytes:
    """The video, 20 levels brighter."""
    return encode([np.clip(frame.astype(int) + 20, 0, 255).astype(np.uint8) for frame in decode(data)])


class Service:
    """What the three have in common.

    Args:
        asks: Polls before the job is done.
        result: Makes the output file from the one that was sent.
        failure: Reason with which every job ends, or None.
    """

    def __init__(
        self,
        *,
        asks: int = 1,
        result: Callable[[bytes], bytes] = brightened,
        failure: str | None = None,
        files_at: str | None = None,
    ) -> None:
        self.asks, self.result, self.failure, self.files_at = asks, result, failure, files_at
        self.inputs: list[dict[str, Any]] = []
        self.seen: list[tuple[str, str]] = []
        self.keys: list[str | None] = []
        self.files: dict[str, bytes] = {}
        self.address = ""

    def done(self) -> bool:
        self.asks -= 1
        return self.asks < 0

    @contextmanager
    def serving(self) -> Iterator[str]:
        me = self

        class Handler(Quiet):
            def do_GET(self) -> None:  # noqa: N802
                me.seen.append((self.command, self.path))
                me.keys.append(self.headers.get("Authorization"))
                me.answer(self, self.path, self.body())

            do_POST = do_PUT = do_GET  # noqa: N815

        with listening(Handler) as self.address:
            yield self.address

    def url(self, path: str) -> str:
        return f"http://{self.files_at or self.address}{path}"

    def answer(self, handler: Quiet, path: str, body: bytes) -> None:
        raise NotImplementedError


class Fal(Service):
    def answer(self, handler: Quiet, path: str, body: bytes) -> None:
        base = "/fal-ai/retake/requests/r-1"
        if path == "/fal-ai/retake":
            self.inputs.append(json.loads(body))
            urls = {"status_url": f"{base}/status", "response_url": base, "cancel_url": f"{base}/cancel"}
            handler.answer_json(
                {"request_id": "r-1"} | {name: f"http://{self.address}{where}" for name, where in urls.items()}
            )
        elif path == f"{base}/status":
            if not self.done():
                handler.answer_json({"status": "IN_QUEUE", "queue_position": 0}, 202)
            else:
                handler.answer_json({"status": "COMPLETED"} | ({"error": self.failure} if self.failure else {}))
        elif path == base:
            self.files["/out.mp4"] = self.result(from_data_url(self.inputs[-1]["video_url"]))
            handler.answer_json({"video": {"url": self.url("/out.mp4"), "content_type": "video/mp4"}, "seed": 1})
        elif path == f"{base}/cancel":
            handler.answer_json({"status": "CANCELLATION_REQUESTED"}, 202)
        else:
            handler.answer(200, self.files[path], "video/mp4")


class Replicate(Service):
    """With ``asks=-1`` it answers at once and with the file itself, as a Cog container does."""

    def answer(self, handler: Quiet, path: str, body: bytes) -> None:
        urls = {
            name: f"http://{self.address}/v1/predictions/p1{end}" for name, end in (("get", ""), ("cancel", "/cancel"))
        }
        if path == "/v1/predictions":
            self.inputs.append(json.loads(body))
            if self.asks < 0:
                handler.answer_json(self.outcome(inline=True))
            else:
                handler.answer_json({"id": "p1", "status": "starting", "urls": urls}, 201)
        elif path == "/v1/predictions/p1":
            going = {"id": "p1", "status": "processing", "urls": urls}
            handler.answer_json(self.outcome(inline=False) if self.done() else going)
        elif path == "/v1/predictions/p1/cancel":
            handler.answer_json({"id": "p1", "status": "canceled"})
        else:
            handler.answer(200, self.files[path], "video/mp4")

    def outcome(self, *, inline: bool) -> dict[str, Any]:
        if self.failure:
            return {"id": "p1", "status": "failed", "error": self.failure, "output": None}
        made = self.result(from_data_url(self.inputs[-1]["input"]["video"]))
        if inline:
            url = "data:video/mp4;base64," + base64.b64encode(made).decode()
        else:
            self.files["/out.mp4"], url = made, self.url("/out.mp4")
        return {"id": "p1", "status": "succeeded", "output": url}


class Comfy(Service):
    """Gives frames as PNG pictures, one level brighter each."""

    def answer(self, handler: Quiet, path: str, body: bytes) -> None:
        split = urlsplit(path)
        if split.path == "/upload/image":
            message = BytesParser().parsebytes(
                f"Content-Type: {handler.headers['Content-Type']}\r\n\r\n".encode() + body
            )
            part = next(part for part in message.get_payload() if part.get_filename())
            self.files[part.get_filename()] = part.get_payload(decode=True)
            handler.answer_json({"name": part.get_filename(), "subfolder": "", "type": "input"})
        elif split.path == "/prompt":
            self.inputs.append(json.loads(body)["prompt"])
            handler.answer_json({"prompt_id": "c-1", "number": 1, "node_errors": {}})
        elif split.path == "/history/c-1":
            handler.answer_json(self.history() if self.done() else {})
        elif split.path == "/view":
            handler.answer(200, self.files[parse_qs(split.query)["filename"][0]], "image/png")
        else:
            handler.answer_json({})

    def history(self) -> dict[str, Any]:
        if self.failure:
            messages = [["execution_error", {"node_type": "KSampler", "exception_message": self.failure}]]
            return {"c-1": {"outputs": {}, "status": {"status_str": "error", "completed": False, "messages": messages}}}
        frames = decode(self.files[self.inputs[-1]["1"]["inputs"]["video"]])
        images = []
        for number, frame in enumerate(frames):
            name = f"out_{number:05d}_.png"
            self.files[name] = png(int(frame.mean()) + 20, frame.shape[1], frame.shape[0])
            images.append({"filename": name, "subfolder": "", "type": "output"})
        return {"c-1": {"outputs": {"9": {"images": images}}, "status": {"status_str": "success", "completed": True}}}
