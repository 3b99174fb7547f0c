"""The loop: generate a clip, then lock it, target a window, regenerate, blend, stitch and score."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.asking import Asking
from a1_reactor.engine.blend import BlendConfig
from a1_reactor.engine.regen import regenerate
from a1_reactor.engine.report import clip_report, save_colours
from a1_reactor.engine.stages import Progress, Stages, as_stage, silent
from a1_reactor.engine.stitch import Stitcher
from a1_reactor.eval.measures import Measures, Meter
from a1_reactor.media.frames import pixel_hash
from a1_reactor.media.h264 import EncoderOptions
from a1_reactor.prompts import load_book, resolve
from a1_reactor.providers.base import Provider, spans_of
from a1_reactor.storage.answers import AnswerStore
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.draft import Draft
from a1_reactor.storage.manifest import JobRecord
from a1_reactor.storage.store import ClipStore
from a1_reactor.types import JobSpec
from reactor_core.errors import Halted, ProviderError, SpecError
from reactor_core.events.latch import Latch
from reactor_core.utils.canonical import content_hash
from reactor_core.utils.clock import Clock, SystemClock, to_iso

__all__ = ["ClipResult", "ReactorEngine"]

_FORMAT = 2
"""Part of every key; changes when equal jobs would be stored differently."""


def _nobody(key: str) -> None:
    """Nobody wants to know what is being made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipResult:
    """A clip and how it came about."""

    clip: Clip
    parent: Clip | None
    """The clip that windows were regenerated in, or None."""
    report: Mapping[str, Any]
    """``run/report.json``."""
    reused: bool
    """True where the very same clip was there already."""
    notes: tuple[str, ...] = ()
    """What was done that was not asked for in so many words."""


@dataclass(frozen=True, slots=True)
class ReactorEngine:
    """Runs jobs with one provider in one workspace.

    Args:
        config: Workspace and permissions.
        provider: Makes the frames.
        encoder: How the mp4 is encoded.
        blend: How seams are treated.
        clock: Time for the records.
        progress: Told of every step.
        making: Told the key of each clip that is begun; its preview is under that key from its first segment on.
        answers: Where the provider's answers are kept until their clip is finished, so that a job that was broken off
            goes on; None keeps them in the workspace.
    """

    config: ReactorConfig
    provider: Provider
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    blend: BlendConfig = field(default_factory=BlendConfig)
    clock: Clock = field(default_factory=SystemClock)
    progress: Progress = silent
    making: Callable[[str], None] = _nobody
    answers: AnswerStore | None = None

    def _told(self) -> Progress:
        """``progress``, which ends the job at its next step once the kill switch is tripped: the draft is dropped."""
        if self.config.halted_by is None:
            return self.progress
        latch = Latch(self.config.halted_by)

        def told(stage: str, done: int, total: int) -> None:
            state = latch.state()
            if state.tripped:
                raise Halted(f"the kill switch is tripped: {state.reason}", remedy="reactor kill status")
            self.progress(stage, done, total)

        return told

    @property
    def store(self) -> ClipStore:
        """The clips of the workspace."""
        return ClipStore(self.config.workspace)

    def run(self, spec: JobSpec, *, force: bool = False) -> Path:
        """Generate, or regenerate where the spec has windows; returns the mp4's path.

        Raises:
            As :meth:`generate` and :meth:`regen`.
        """
        result = self.regen(spec, force=force) if spec.windows else self.generate(spec, force=force)
        return result.clip.artifact

    def generate(self, spec: JobSpec, *, force: bool = False) -> ClipResult:
        """Make a whole clip, or find it where an equal job made it before.

        Args:
            spec: What to make; its windows, if any, are ignored.
            force: Make it again even if it is there, and ask for all of it.

        What the provider has answered is kept until the clip is there: an equal job after an error or a kill goes on.

        Raises:
            SpecError: The spec cannot be used, or asks for what the provider cannot do.
            ProviderError: The provider failed or broke its promise.
            StorageError: The clip could not be written.
            Halted: The kill switch is tripped.
        """
        asked = spec.without_windows()
        resolved = self._resolve(asked)
        hash_ = self._hash(resolved, parent=None)
        notes = self._damage(hash_, force=force)
        with self._clip_to_make(hash_, force=force) as (found, draft):
            if draft is None:
                assert found is not None
                return ClipResult(clip=found, parent=None, report=found.report(), reused=True)
            stages = Stages()
            with self._asking(hash_, resolved, force=force) as asking:
                measures, decoded = self._fill(draft, resolved, asking, stages)
                more = {"cost": asking.expense().to_json(), "timings": stages.to_json()}
                report = clip_report(resolved, measures, decoded_frames=decoded, extra=more)
                draft.add_json("report.json", report)
                save_colours(draft, measures)
                job = self._record(hash_, asked, resolved, None)
                draft.commit(job, encoder=self.encoder.identity())
            clip = self.store.open(hash_[:16])
        return ClipResult(clip=clip, parent=None, report=report, reused=False, notes=notes + asking.notes)

    def regen(self, spec: JobSpec, *, parent: Clip | None = None, force: bool = False) -> ClipResult:
        """Regenerate the spec's windows in a clip; every frame outside stays the same file.

        Args:
            spec: The new intent, with windows. Size, rate and length must be those of the parent.
            parent: The clip to start from. None takes the newest clip of the workspace with the same size, rate and
                length; if there is none, one is generated first from the same spec.
            force: Make it again even if it is there.

        Raises:
            SpecError: There is no window, or the parent has another size, rate or length.
            ArtifactCorrupt: The parent's files are not the ones that were stored.
            ProviderError, StorageError, Halted: As :meth:`generate`.
        """
        if not spec.windows:
            raise SpecError("there is no window to regenerate", remedy="give one, such as --regen 0.8 1.6")
        resolved = self._resolve(spec)
        notes: tuple[str, ...] = ()
        if parent is None:
            parent = self.store.newest(width=spec.width, height=spec.height, fps=resolved.fps, frames=resolved.frames)
            if parent is None:
                parent = replace(self, progress=as_stage("base", self.progress)).generate(spec).clip
                notes = (
                    f"no clip of {spec.frames} frames at {spec.width}x{spec.height} was there: generated base "
                    f"{parent.key} first, from the same prompt",
                )
            else:
                notes = (f"took the newest clip of this size, rate and length as parent: {parent.key}",)
        _check_parent(resolved, parent)
        hash_ = self._hash(resolved, parent=parent)
        notes += self._damage(hash_, force=force)
        with self._clip_to_make(hash_, force=force, parent=parent) as (found, draft):
            if draft is None:
                assert found is not None
                return ClipResult(clip=found, parent=parent, report=found.report(), reused=True, notes=notes)
            stages = Stages()
            with self._asking(hash_, resolved, force=force) as asking:
                measures, proof, decoded = regenerate(
                    draft,
                    resolved,
                    parent,
                    self.provider,
                    asking,
                    blend=self.blend,
                    encoder=self.encoder,
                    stages=stages,
                    progress=self._told(),
                )
                more = {"regen": proof, "cost": asking.expense().to_json(), "timings": stages.to_json()}
                report = clip_report(resolved, measures, decoded_frames=decoded, extra=more)
                draft.add_json("report.json", report)
                save_colours(draft, measures)
                draft.commit(self._record(hash_, spec, resolved, parent), encoder=self.encoder.identity())
            clip = self.store.open(hash_[:16])
        return ClipResult(clip=clip, parent=parent, report=report, reused=False, notes=notes + asking.notes)

    def _resolve(self, spec: JobSpec) -> JobSpec:
        resolved = resolve(replace(spec, provider=self.provider.name), load_book(self.config.workspace))
        can = self.provider.capabilities
        for name, side in (("width", spec.width), ("height", spec.height)):
            if side % can.size_multiple:
                down = side // can.size_multiple * can.size_multiple
                raise SpecError(
                    f"{name}={side}: provider {self.provider.name!r} makes multiples of {can.size_multiple} only",
                    remedy=f"use {down or can.size_multiple} or {down + can.size_multiple}",
                )
        if spec.windows:
            spans_of(spec.windows, resolved, can)  # refuses a window that the provider cannot make at once
        # One that makes whole clips for every window is held to its limit with windows too.
        if (not spec.windows or not can.window_only) and can.max_frames is not None and spec.frames > can.max_frames:
            raise SpecError(
                f"{spec.frames} frames: provider {self.provider.name!r} makes at most {can.max_frames}",
                remedy="ask for a shorter clip",
            )
        if not spec.windows and "full" not in can.modes:
            raise SpecError(
                f"provider {self.provider.name!r} makes frames from other frames ({', '.join(sorted(can.modes))}), "
                "not a clip from words",
                remedy="name the clip to work on with --parent; make it with another provider, or import one",
            )
        return resolved

    def _hash(self, resolved: JobSpec, parent: Clip | None) -> str:
        """Everything that decides a byte of the result, and nothing else."""
        document = {
            "format": _FORMAT,
            "spec": resolved.content_hash(),
            "provider": dict(self.provider.identity()),
            "encoder": self.encoder.to_json(),
            "parent": None if parent is None else parent.job.hash,
            "blend": None if parent is None else self.blend.to_json(),
        }
        # A tuple inside an identity and the list that JSON makes of it are one value.
        return content_hash(json.loads(json.dumps(document)))

    @contextmanager
    def _clip_to_make(
        self, hash_: str, *, force: bool, parent: Clip | None = None
    ) -> Iterator[tuple[Clip | None, Draft | None]]:
        """Either the finished clip and no draft, or no clip and a draft to fill; the key is locked meanwhile."""
        store, key = self.store, hash_[:16]
        with store.lock(key):
            # Looked up under the lock: whoever held it may have made this very clip.
            found = None if force else store.find(hash_)
            if found is not None:
                store.touch(found)
                yield found, None
                return
            with store.draft(key, parent=parent) as draft:
                self.making(key)
                yield None, draft

    @contextmanager
    def _asking(self, hash_: str, spec: JobSpec, *, force: bool) -> Iterator[Asking]:
        """The provider, and what it has answered before; the block makes the clip, whose key is held."""
        answers = self.answers or AnswerStore(self.config.workspace / "answers")
        answer = answers.open(hash_[:16], width=spec.width, height=spec.height, force=force)
        try:
            yield Asking(self.provider, spec, answer)
        except ProviderError as error:
            if not error.retryable:
                answer.discard()  # nothing is built on half of an answer that breaks a promise
            raise
        answer.finish()

    def _damage(self, hash_: str, *, force: bool) -> tuple[str, ...]:
        """A note where the clip is there but cannot be used; making it again is right, but not to be kept quiet."""
        key = hash_[:16]
        if force or not (self.store.cache / key).exists() or self.store.find(hash_) is not None:
            return ()
        return (f"clip {key} was there but damaged: made it again",)

    def _fill(self, draft: Draft, spec: JobSpec, asking: Asking, stages: Stages) -> tuple[Measures, int]:
        """Frames from the provider straight to PNG, encoder and measurements; two of them are in memory at a time.

        Returns:
            The measurements, and how many frames the mp4 decodes to: a header that promises frames is no proof of them.
        """
        meter = Meter()
        told = self._told()
        told("generate", 0, spec.frames)
        frames = asking.clip(told)
        video = Stitcher(draft, spec, self.encoder, stages)
        for index, frame in enumerate(stages.drawn("provider", frames)):
            with stages.stage("store"):
                pixels = pixel_hash(frame)
                draft.add_frame(index, frame, pixels=pixels)
                asking.stored(index, pixels, draft.frame_path(index))
            video.add(index, frame, pixels)
            with stages.stage("score"):
                meter.add(frame)
            told("generate", index + 1, spec.frames)
        return meter.measures(), video.finish()

    def _record(self, hash_: str, asked: JobSpec, resolved: JobSpec, parent: Clip | None) -> JobRecord:
        return JobRecord(
            hash=hash_,
            asked=asked,
            resolved=resolved,
            origin=resolved if parent is None else parent.job.origin,
            provider=dict(self.provider.identity()),
            parent=None if parent is None else parent.key,
            lineage=() if parent is None else (*parent.job.lineage, parent.key),
            created=to_iso(self.clock.utc_now()),
        )


def _check_parent(spec: JobSpec, parent: Clip) -> None:
    old = parent.job.resolved
    for name in ("width", "height", "fps", "frames"):
        if getattr(old, name) != getattr(spec, name):
            raise SpecError(
                f"{name}={getattr(spec, name)}, but the parent {parent.key} has {getattr(old, name)}",
                remedy="regenerate with the parent's own size, fps and seconds",
            )
