"""Models behind a service's own contract: the input is the operator's template, the output a video or pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any, Literal, Protocol

from a1_reactor.media.frames import Frame
from a1_reactor.providers.asked import BLANKS, Asked
from a1_reactor.providers.base import BaseClip, Capabilities, spans_of
from a1_reactor.providers.modes import pick_mode
from a1_reactor.providers.pictures import is_picture, read_picture, read_video
from a1_reactor.providers.template import check_template, fill_template
from a1_reactor.types import JobSpec, Span, Window
from reactor_core.errors import ArtifactCorrupt, ProviderError
from reactor_core.utils.canonical import content_hash

__all__ = ["HostedProvider", "Returns", "Service"]

Returns = Literal["span", "window"]
"""Whether a service answers with all frames that it was sent, or with those of the window alone."""

_ROOM = 1 << 20


class Service(Protocol):
    """A contract: how to hand over files, start a job, wait for it, and fetch what it made."""

    kind: str

    @property
    def shown(self) -> str:
        """Address, for messages and keys."""
        ...

    def upload(self, data: bytes, content_type: str, name: str) -> Any:
        """Hand over a file; returns what stands for it in the input."""
        ...

    def run(self, document: Mapping[str, Any], *, max_bytes: int, max_files: int) -> list[IO[bytes]]:
        """Do a job; the files it made, in order. The caller closes them.

        Args:
            document: The filled template.
            max_bytes: Longest file.
            max_files: Most files.

        Raises:
            ProviderError: The job failed, was refused, or took too long; it has been called off where it went on.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedProvider:
    """A model of a service.

    Raises:
        ConfigError: The template holds a blank that nothing fills.
    """

    name: str
    service: Service
    template: Mapping[str, Any]
    capabilities: Capabilities
    returns: Returns = "span"
    model: str = ""
    """Name and version of the model, where the operator wants it in cache keys."""

    def __post_init__(self) -> None:
        check_template(self.template, BLANKS, f"provider {self.name!r}")

    @property
    def version(self) -> str:
        """Of this way of asking."""
        return "1"

    def identity(self) -> Mapping[str, str]:
        """Contract, address, model and template."""
        return {
            "name": self.name,
            "version": self.version,
            "kind": self.service.kind,
            "endpoint": self.service.shown,
            "model": self.model,
            "input": content_hash(dict(self.template)),
            **({"mask": "spatial"} if self.capabilities.spatial_mask else {}),
        }

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """Ask for the whole clip.

        Raises:
            ProviderError: The service failed, or what it made has another size, length or format.
            SpecError: The template wants old frames, or an option that the job does not give.
        """
        amount = self.capabilities.quantum.at_least(job.frames) or job.frames
        span = Span(Window(0, job.frames), 0, amount, job.frames)
        for _, frame in self._frames(Asked(job=job, span=span, base=None)):
            yield frame

    def regen_frames(self, job: JobSpec, base: BaseClip, windows: Sequence[Window]) -> Iterator[tuple[int, Frame]]:
        """Ask for each window on its own.

        Raises:
            ProviderError, SpecError: As :meth:`generate_frames`.
        """
        for span in spans_of(windows, job, self.capabilities):
            pick_mode(self.capabilities.modes, span)  # refuses a window without the frames that the model needs
            yield from self._frames(Asked(job=job, span=span, base=base, spatial=self.capabilities.spatial_mask))

    def _frames(self, asked: Asked) -> Iterator[tuple[int, Frame]]:
        job, span = asked.job, asked.span
        document = fill_template(self.template, asked.values(self.service.upload), job.options)
        made = range(span.start, span.stop) if self.returns == "span" else span.window.frames
        # No honest file is larger than its raw pixels.
        limit = len(made) * job.width * job.height * 3 + _ROOM
        with ExitStack() as closing:
            files = [
                closing.enter_context(file) for file in self.service.run(document, max_bytes=limit, max_files=len(made))
            ]
            try:
                for index, frame in zip(made, self._read(files, len(made), job), strict=True):
                    if index in span.window:
                        yield index, frame
            except ArtifactCorrupt as error:
                raise ProviderError(f"provider {self.name!r} ({self.service.shown}): {error.message}") from error

    @staticmethod
    def _read(files: Sequence[IO[bytes]], count: int, job: JobSpec) -> Iterator[Frame]:
        if not files:
            raise ArtifactCorrupt("the job made no file")
        head = files[0].read(12)
        files[0].seek(0)
        if not is_picture(head):
            if len(files) > 1:
                raise ArtifactCorrupt(f"the job made {len(files)} files, and the first is no picture")
            yield from read_video(files[0], count=count, width=job.width, height=job.height, where="what it made")
            return
        if len(files) != count:
            raise ArtifactCorrupt(f"the job made {len(files)} pictures, {count} were asked for")
        for number, file in enumerate(files):
            yield read_picture(file, width=job.width, height=job.height, where=f"picture {number}")
