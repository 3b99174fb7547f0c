"""A provider whose answers outlive the process: what a model has made is not made, or paid for, again after a kill."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from a1_reactor.media.frames import Frame, pixel_hash
from a1_reactor.media.png import encode_png, read_png
from a1_reactor.providers.base import BaseClip, Capabilities, Provider
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.canonical import content_hash
from reactor_core.utils.failpoints import reach
from reactor_core.utils.files import atomic_write, storage_errors

__all__ = ["KeptAnswers"]

_LIST = "answer.json"


class KeptAnswers:
    """Keeps each whole answer of a provider in a folder, and gives it from there when the same is asked again.

    An answer that was broken off is not used: its rest could not be asked for. Frames are written without waiting for
    the disk, and checked when they are read: an answer that a power failure has damaged is asked for again.

    Args:
        provider: Makes the frames.
        folder: Where they are kept; who owns the job removes it.
    """

    def __init__(self, provider: Provider, folder: Path) -> None:
        self._provider = provider
        self._folder = folder

    @property
    def name(self) -> str:
        """As the provider's own."""
        return self._provider.name

    @property
    def version(self) -> str:
        """As the provider's own."""
        return self._provider.version

    @property
    def capabilities(self) -> Capabilities:
        """As the provider's own."""
        return self._provider.capabilities

    def identity(self) -> Mapping[str, Any]:
        """As the provider's own."""
        return self._provider.identity()

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """As the provider's own, or as it was before.

        Raises:
            ProviderError: They cannot be made.
            StorageError: They cannot be kept.
        """
        place = self._place(job, [])
        known = self._known(place, job)
        frames = self._keep(place, enumerate(self._provider.generate_frames(job))) if known is None else known
        return (frame for _, frame in frames)

    def regen_frames(self, job: JobSpec, base: BaseClip, windows: Sequence[Window]) -> Iterator[tuple[int, Frame]]:
        """As the provider's own, or as it was before. What ``base`` shows is part of what is asked.

        Raises:
            ProviderError: They cannot be made.
            StorageError: They cannot be kept.
        """
        edges = {index for window in windows for index in (window.start, window.stop - 1)}
        place = self._place(job, [pixel_hash(base.frame(index)) for index in sorted(edges)])
        known = self._known(place, job)
        return self._keep(place, self._provider.regen_frames(job, base, windows)) if known is None else known

    def _place(self, job: JobSpec, base: list[str]) -> Path:
        # Identities may hold tuples, which JSON knows as lists.
        asked = {"job": job.content_hash(), "provider": json.loads(json.dumps(dict(self.identity()))), "base": base}
        return self._folder / content_hash(asked)[:32]

    def _keep(self, place: Path, frames: Iterator[tuple[int, Frame]]) -> Iterator[tuple[int, Frame]]:
        with storage_errors(place):
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
        listed: list[list[Any]] = []
        for index, frame in frames:
            path = place / f"{len(listed):06d}.png"
            with storage_errors(path):
                path.write_bytes(encode_png(frame))
            listed.append([index, pixel_hash(frame)])
            reach("frames.kept")
            yield index, frame
        atomic_write(place / _LIST, json.dumps(listed))
        reach("answer.kept")

    def _known(self, place: Path, job: JobSpec) -> Iterator[tuple[int, Frame]] | None:
        """The frames of a whole answer, checked before the first of them is given; None if there is none."""
        if not (place / _LIST).is_file():
            return None
        try:
            listed = json.loads((place / _LIST).read_bytes())
            for number, (_, expected) in enumerate(listed):
                if pixel_hash(self._read(place, number, job)) != expected:
                    return None
        except (OSError, ValueError, ArtifactCorrupt):
            return None
        return ((index, self._read(place, number, job)) for number, (index, _) in enumerate(listed))

    @staticmethod
    def _read(place: Path, number: int, job: JobSpec) -> Frame:
        return read_png(place / f"{number:06d}.png", width=job.width, height=job.height)
