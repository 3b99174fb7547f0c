"""Takes: several answers to one question, and people who choose among them.

A take is a clip like any other: the same parent and windows, another seed. Making one costs its window. Choosing writes
an event (see :mod:`a1_reactor.storage.choices`), which the preferences of Reactor are read from; no choice is ever made
without being asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from a1_reactor.engine.engine import ClipResult, ReactorEngine
from a1_reactor.engine.take_facts import take_facts, take_metrics, take_question, take_reference
from a1_reactor.storage.choices import MAIN_BRANCH, TakeState, Verdict, last_choice
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.manifest import JobRecord
from a1_reactor.storage.store import ClipStore
from a1_reactor.storage.takes import TakeLog
from a1_reactor.types import JobSpec
from reactor_core.errors import ArtifactCorrupt, NotFound, SpecError
from reactor_core.events.event import Event, new_event
from reactor_core.events.journal import Journal
from reactor_core.events.vocabulary import EventSource, EventType
from reactor_core.utils.clock import Clock, SystemClock

__all__ = ["MAX_TAKES", "PERSON", "Take", "TakeBook", "make_takes"]

PERSON = "person"
"""The chooser where somebody chose by eye; a metric's name stands behind ``metric:``."""
MAX_TAKES = 64
"""Most takes of one call: they are watched by people."""

_BRANCH_MOVED = "clip_branch"


@dataclass(frozen=True, slots=True)
class Take:
    """A clip and what was said of it."""

    clip: Clip
    verdict: Verdict | None
    """None while nobody has decided."""
    branches: tuple[str, ...]
    """Branches whose head it is."""
    metrics: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """Plain values; paths are absolute."""
        job = self.clip.job
        return {
            "clip_id": self.clip.key,
            "clip_path": str(self.clip.artifact.resolve()),
            "parent_id": job.parent,
            "windows": [[window.start, window.stop] for window in job.resolved.windows],
            "prompt": job.asked.prompt,
            "seed": job.resolved.seed,
            "created": job.created,
            "verdict": None if self.verdict is None else self.verdict.to_json(),
            "branches": list(self.branches),
            "metrics": dict(self.metrics),
        }


def make_takes(
    engine: ReactorEngine, spec: JobSpec, *, parent: Clip, count: int, force: bool = False
) -> Iterator[ClipResult]:
    """Regenerate the spec's windows ``count`` times, with its seed and those that follow; one at a time, as drawn.

    A take that is there already is found, not made again, so an interrupted call goes on where it was.

    Args:
        force: Make them again even if they are there.

    Raises:
        SpecError: The count is outside 1..64, the provider does not honour seeds, or as ``ReactorEngine.regen``.
        ProviderError, StorageError, ArtifactCorrupt, Halted: As ``ReactorEngine.regen``; takes made before stay.
    """
    if not 1 <= count <= MAX_TAKES:
        raise SpecError(f"{count} takes is outside 1..{MAX_TAKES}", remedy="ask for fewer, look at them, ask for more")
    if count > 1 and not engine.provider.capabilities.seed:
        raise SpecError(
            f"provider {engine.provider.name!r} does not honour seeds, so equal specs are one clip",
            remedy="ask for one take at a time, with --force",
        )
    # The last one first: a seed behind the range is refused before the first take is paid for.
    specs = [replace(spec, seed=spec.seed + number) for number in reversed(range(count))]
    for one in reversed(specs):
        yield engine.regen(one, parent=parent, force=force)


@dataclass(frozen=True, slots=True)
class TakeBook:
    """The takes of a workspace, and choosing among them.

    Args:
        store: The clips.
        actor: Who chooses; the name that stands in the events.
        usd_per_hour: Price of this machine, for the cost of a take; None if it is not known.
        clock: Time of the events.
    """

    store: ClipStore
    actor: str
    usd_per_hour: float | None = None
    clock: Clock = field(default_factory=SystemClock)
    log: TakeLog = field(init=False, repr=False, compare=False)
    """Where the choices are."""

    def __post_init__(self) -> None:
        # One log for the whole life of the book: its lock may be entered again only by the same object.
        object.__setattr__(self, "log", TakeLog(self.store.workspace))

    def open(self, name: str) -> Clip:
        """A clip by the name of a branch, or as :meth:`ClipStore.open`.

        Raises:
            NotFound: There is neither.
            ArtifactCorrupt: Its folder is damaged.
        """
        return self.store.open(self.log.state().branches.get(name, name))

    def take(self, clip: Clip, state: TakeState | None = None) -> Take:
        """A clip with what was said of it."""
        state = state or self.log.state()
        branches = tuple(sorted(name for name, head in state.branches.items() if head == clip.key))
        return Take(clip, state.verdicts.get(clip.key), branches, take_metrics(clip))

    def takes_of(self, parent: str) -> list[Take]:
        """Every clip that was regenerated from the clip with this key, by window, then in the order of their making.

        Clips whose folders are damaged are left out; ``a1-reactor verify`` names them.
        """
        state = self.log.state()
        opened = [self.store.find(job.hash) for job in self.jobs() if job.parent == parent]
        found = [clip for clip in opened if clip is not None]
        found.sort(key=lambda clip: (clip.job.resolved.windows, clip.job.created, clip.job.resolved.seed))
        return [self.take(clip, state) for clip in found]

    def siblings_of(self, clip: Clip) -> list[Take]:
        """All takes of the same question, this one among them, in the order of their making."""
        if clip.job.parent is None:
            return [self.take(clip)]
        question = take_question(clip)
        return [take for take in self.takes_of(clip.job.parent) if take_question(take.clip) == question]

    def keep(self, clip: Clip, *, branch: str = MAIN_BRANCH, chooser: str = PERSON) -> Event:
        """Keep a take: it becomes the head of a branch, and is never deleted as garbage.

        Said again by the same actor, it is the same choice.

        Returns:
            The event of the choice.

        Raises:
            SpecError: The name of the branch cannot be used.
            NotFound: The clip has been deleted.
            StorageError: The choice could not be written.
        """
        _check_branch(branch)
        with self.log.writing() as events:
            _check_there(clip)
            state = TakeState.of(events)
            if state.branches.get(branch) == clip.key and (said := self._said(events, clip, "keep", chooser)):
                return said
            previous = state.branches.get(branch)
            return self._write("keep", clip, chooser, {"branch": branch, "previous_head": previous})

    def reject(self, clip: Clip, *, chooser: str = PERSON) -> Event:
        """Reject a take: garbage collection may delete it, unless a branch needs it.

        Raises:
            StorageError: The choice could not be written.
        """
        with self.log.writing() as events:
            return self._said(events, clip, "reject", chooser) or self._write("reject", clip, chooser, {})

    def prefer(self, chosen: Clip, rejected: Clip) -> Event:
        """Say which of two takes is better, without keeping or rejecting either.

        Raises:
            SpecError: They are one clip, or answer different questions.
            StorageError: The choice could not be written.
        """
        if chosen.key == rejected.key:
            raise SpecError(f"clip {chosen.key} is compared with itself", remedy="name two takes")
        if take_question(chosen) != take_question(rejected):
            raise SpecError(
                f"clips {chosen.key} and {rejected.key} are not takes of the same prompt, parent and windows",
                remedy="a1-reactor takes CLIP lists those that are",
            )
        answers = {"chosen": take_reference(chosen), "rejected": take_reference(rejected)}
        return self._write(
            "prefer", chosen, PERSON, {**answers, "other": take_facts(rejected, usd_per_hour=self.usd_per_hour)}
        )

    def branch(self, name: str, clip: Clip) -> Event:
        """Point a branch at a clip, making the branch if there is none.

        Raises:
            SpecError: The name cannot be used.
            NotFound: The clip has been deleted.
            StorageError: The choice could not be written.
        """
        _check_branch(name)
        with self.log.writing() as events:
            _check_there(clip)
            data = {
                "action": "branch",
                "actor": self.actor,
                "branch": name,
                "clip": clip.key,
                "previous_head": TakeState.of(events).branches.get(name),
            }
            return self._append(_BRANCH_MOVED, data)

    def undo(self) -> Event:
        """Take back this actor's newest choice; everything is as if it had not been made.

        Returns:
            The event of the choice that was taken back.

        Raises:
            NotFound: This actor has no choice that stands.
            StorageError: The undoing could not be written.
        """
        with self.log.writing() as events:
            choice = last_choice(events, self.actor)
            if choice is None:
                raise NotFound(f"{self.actor} has made no choice that stands", remedy="a1-reactor takes CLIP")
            data = {"action": "undo", "actor": self.actor, "person": self.actor, "retracts": choice.event_id}
            self._append(EventType.FEEDBACK, data)
        return choice

    def publish(self, journal: Path) -> int:
        """Append what it has not seen to the journal at this path; returns how many choices that were.

        Raises:
            JournalError: It could not; the choices stand, and the next call tries again.
        """
        if not self.log.events():
            return 0
        shared = Journal.shared(journal)
        try:
            return self.log.publish(shared)
        finally:
            shared.release()

    def disposable(self, *, undecided_before: datetime | None = None) -> frozenset[str]:
        """Keys of clips that may be deleted: rejected takes, and undecided ones where a time is given.

        Left alone are kept clips, heads of branches, clips without a parent, and every ancestor of what stays.

        Args:
            undecided_before: Takes that nobody decided about and that were made before this.
        """
        state, jobs = self.log.state(), {job.hash[:16]: job for job in self.jobs()}
        candidates = set()
        for key, job in jobs.items():
            verdict = state.verdicts.get(key)
            if verdict is None:
                old = undecided_before is not None and datetime.fromisoformat(job.created) < undecided_before
                if job.parent is not None and old:
                    candidates.add(key)
            elif not verdict.kept:
                candidates.add(key)
        stays = (set(jobs) - candidates) | state.roots
        needed = {ancestor for key in stays if key in jobs for ancestor in jobs[key].lineage}
        return frozenset(candidates - stays - needed)

    def jobs(self) -> Iterator[JobRecord]:
        """The record of every clip of the workspace, but for those whose record is damaged."""
        for path in sorted(self.store.cache.glob("*/job.json")):
            try:
                yield JobRecord.load(path)
            except ArtifactCorrupt:
                continue

    def _said(self, events: list[Event], clip: Clip, action: str, chooser: str) -> Event | None:
        """The event by which the same was said before, if it is what holds."""
        verdict = TakeState.of(events).verdicts.get(clip.key)
        if verdict is None or (verdict.kept, verdict.chooser, verdict.actor) != (action == "keep", chooser, self.actor):
            return None
        return next(event for event in events if event.event_id == verdict.event_id)

    def _write(self, action: str, clip: Clip, chooser: str, more: Mapping[str, Any]) -> Event:
        data: dict[str, Any] = {
            "action": action,
            "actor": self.actor,
            "chooser": chooser,
            "clip": clip.key,
            "prompt": take_question(clip),
            "take": take_facts(clip, usd_per_hour=self.usd_per_hour),
            **more,
        }
        # Only what a person said is a preference; a metric's choice is recorded, and nothing is trained on it.
        if chooser == PERSON:
            data["person"] = self.actor
            if action != "prefer":
                data |= {"response": take_reference(clip), "kept": action == "keep"}
        return self._append(EventType.FEEDBACK, data)

    def _append(self, event_type: EventType | str, data: Mapping[str, Any]) -> Event:
        event, _ = new_event(EventSource.USER, event_type, data, clock=self.clock)
        self.log.append(event)
        return event


def _check_there(clip: Clip) -> None:
    """With the log held nothing is deleted any more; before that it may have been."""
    if not (clip.path / "job.json").is_file():
        raise NotFound(f"clip {clip.key} has been deleted", remedy="make it again")


def _check_branch(name: str) -> None:
    if not (0 < len(name) <= 80 and name.strip() == name and name.isprintable()):
        raise SpecError(f"branch={name!r} is no name", remedy="use 1 to 80 printable characters, such as main")
    if len(name) == 16 and set(name) <= set("0123456789abcdef"):
        raise SpecError(f"branch={name!r} looks like the id of a clip", remedy="use another name")
