"""The kind of job that makes clips: ``a1.clip``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ClipResult, ReactorEngine
from a1_reactor.engine.stages import overall_share
from a1_reactor.engine.takes import MAX_TAKES, make_takes
from a1_reactor.providers.catalog import build_provider
from a1_reactor.storage.answers import AnswerStore
from a1_reactor.storage.store import ClipStore
from a1_reactor.types import JobSpec
from reactor_core.errors import SpecError
from reactor_core.jobs.context import JobContext

__all__ = ["KIND", "ClipJob", "ClipRequest", "clip_job"]

KIND = "a1.clip"
"""Its name in the table of jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """What one job is to make.

    Raises:
        SpecError: The parts do not go together.
    """

    spec: JobSpec
    """The clip, or the windows to regenerate."""
    parent: str | None = None
    """Id of the clip whose windows are regenerated; None takes the newest one that fits."""
    takes: int = 1
    """How many answers for the windows, each with the next seed."""
    endpoint: str | None = None
    """Address of the HTTP provider; None for the others."""
    force: bool = False
    """Make what is there already again."""

    def __post_init__(self) -> None:
        if not 1 <= self.takes <= MAX_TAKES:
            raise SpecError(f"takes={self.takes} is outside 1..{MAX_TAKES}")
        if self.takes > 1 and not (self.spec.windows and self.parent):
            raise SpecError("several takes need a parent and windows", remedy="name the clip and the windows")
        if self.parent is not None and not self.spec.windows:
            raise SpecError("a parent without windows", remedy="say which windows of it to regenerate")

    def to_json(self) -> dict[str, Any]:
        """JSON that :meth:`parse` reads back."""
        return {
            "spec": self.spec.to_json(),
            "parent": self.parent,
            "takes": self.takes,
            "endpoint": self.endpoint,
            "force": self.force,
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> ClipRequest:
        """Read a request from JSON.

        Raises:
            SpecError: A field is unknown, missing or cannot be used.
        """
        values = dict(document)
        unknown = sorted(set(values) - {"spec", "parent", "takes", "endpoint", "force"})
        if unknown or "spec" not in values:
            raise SpecError(f"field {unknown[0]!r} is unknown" if unknown else "field 'spec' is missing")
        return cls(**{**values, "spec": JobSpec.parse(values["spec"])})


class ClipJob:
    """Runs the engine for one request. A take that is there already is found, so a second attempt goes on."""

    name = KIND
    max_attempts = 5

    def check(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The request with every default written out.

        Raises:
            SpecError: It cannot be used.
        """
        return ClipRequest.parse(spec).to_json()

    def run(self, context: JobContext) -> dict[str, Any]:
        """Make the clips; returns their ids, and what the provider was paid for each that was not there already.

        Raises:
            SpecError: The request asks for what the provider cannot do, or for a parent of another size.
            NotFound: There is no such parent.
            ProviderError: The provider failed or broke its promise.
            StorageError: A clip cannot be written.
            Halted: The kill switch is tripped.
        """
        request = ClipRequest.parse(context.job.spec)
        config = replace(ReactorConfig.from_settings(context.settings), http_endpoint=request.endpoint)
        provider = build_provider(request.spec.provider, config, pulse=context.check)
        # What an earlier attempt was given is used again, also where the clip itself is to be made anew.
        answers = AnswerStore(context.folder / "answers", lasting=True) if request.force else None
        made: list[ClipResult] = []

        def told(stage: str, done: int, total: int) -> None:
            share = (len(made) + overall_share(stage, done, total)) / request.takes
            context.progress(stage, min(share, 0.999))

        def making(key: str) -> None:
            context.tell(draft=key)

        engine = ReactorEngine(config, provider, progress=told, making=making, answers=answers)
        engine.store.sweep()
        context.check()
        for result in self._results(engine, request):
            made.append(result)
            for note in result.notes:
                context.say(note)
            context.say(f"clip {result.clip.key}" + (" was there already" if result.reused else ""))
        return {
            "clip_ids": [result.clip.key for result in made],
            "reused": [result.reused for result in made],
            "notes": [note for result in made for note in result.notes],
            "costs": [None if result.reused else result.report["cost"] for result in made],
        }

    @staticmethod
    def _results(engine: ReactorEngine, request: ClipRequest) -> Iterable[ClipResult]:
        if not request.spec.windows:
            return [engine.generate(request.spec, force=request.force)]
        if request.parent is None:
            return [engine.regen(request.spec, force=request.force)]
        parent = ClipStore(engine.config.workspace).open(request.parent)
        return make_takes(engine, request.spec, parent=parent, count=request.takes, force=request.force)


clip_job = ClipJob()
