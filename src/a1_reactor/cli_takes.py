"""``a1-reactor takes``, ``keep``, ``reject``, ``prefer``, ``undo`` and ``branch``: several answers, and choosing."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from a1_reactor.cli_perform import DEFAULTS, PLACE, Common, Place, build_engine, config_of, maker_of, open_terminal
from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from a1_reactor.engine.engine import ClipResult
    from a1_reactor.engine.takes import Take, TakeBook
    from a1_reactor.storage.clip import Clip
    from reactor_core.events.event import Event

__all__ = ["branch", "keep", "prefer", "reject", "takes", "undo"]


def takes(
    clip: str,
    *,
    window: Annotated[list[tuple[str, str]], Parameter(name="--window", negative=())] | None = None,
    seeds: int = 4,
    first_seed: int = 1,
    prompt: str | None = None,
    negative_prompt: str | None = None,
    preset: str | None = None,
    mask: str | None = None,
    best_of: str | None = None,
    branch: str = "main",
    person: str | None = None,
    common: Common = DEFAULTS,
) -> None:
    """Make several takes of a window of a clip; without a window, list those that are there.

    Parameters
    ----------
    clip
        The clip to start from: its id, folder or mp4, or a branch.
    window
        Start and end of a window: seconds, time codes or frames such as 19f; the end is outside. Several are one take.
    seeds
        How many takes, each with a seed of its own.
    first_seed
        Seed of the first take; the others follow it.
    prompt
        What the window is to show; by default what the clip was asked for.
    negative_prompt
        What to avoid; without it, a list of usual faults, or with the clip's own prompt what that avoids.
    preset
        Look, as `a1-reactor presets` lists them; by default that of the clip, and "none" for no preset.
    mask
        Part of the picture to replace: LEFT,TOP,WIDTH,HEIGHT in pixels, with ,FEATHER for soft edges, or a PNG of the
        clip's size whose white is replaced.
    best_of
        Keep the take that this metric puts first: seam, colour, inside or steadiness. Without it nothing is chosen.
    branch
        Branch that the best take goes onto.
    person
        Whose choice it is; by default the name of the login.
    """
    from a1_reactor.engine.takes import make_takes
    from a1_reactor.types import JobSpec, Mask, window_between

    book = _book(common, person)
    parent = book.open(clip)
    if not window:
        _list(book, parent, common)
        return
    old = parent.job
    maker, options = maker_of(common, parent)
    spec = JobSpec(
        prompt=old.asked.prompt if prompt is None else prompt,
        negative_prompt=old.asked.negative_prompt if prompt is None and negative_prompt is None else negative_prompt,
        seconds=old.resolved.seconds,
        fps=old.resolved.fps,
        width=old.resolved.width,
        height=old.resolved.height,
        style_preset=old.asked.style_preset if preset is None else None if preset == "none" else preset,
        seed=first_seed,
        windows=tuple(window_between(begin, end, old.resolved.fps) for begin, end in window),
        mask=None if mask is None else Mask.from_text(mask),
        provider=maker,
        options=options,
    )
    terminal = open_terminal()
    results: list[ClipResult] = []
    with terminal.step(f"Make {seeds} takes") as advance:

        def told(text: str, share: float) -> None:
            number = len(results) + 1
            advance(f"take {number} of {seeds}: {text}", (number - 1 + share) / seeds)

        engine = build_engine(common, maker, told)
        engine.store.sweep()
        # One by one, since told() counts what is there.
        for result in make_takes(engine, spec, parent=parent, count=seeds, force=common.force):
            results.append(result)  # noqa: PERF402
    chosen = None if best_of is None else _keep_best(book, [result.clip for result in results], best_of, branch)
    found = [book.take(result.clip) for result in results]
    if common.json:
        print_json(
            {
                "parent_id": parent.key,
                "takes": [
                    {**take.to_json(), "reused": result.reused} for take, result in zip(found, results, strict=True)
                ],
                "best_of": best_of,
                "kept": None if chosen is None else chosen.key,
            }
        )
    else:
        _show(found)


def keep(clip: str, *, branch: str = "main", person: str | None = None, place: Place = PLACE) -> None:
    """Keep a take: it becomes the head of a branch and is never deleted.

    Parameters
    ----------
    clip
        The take: its id, folder or mp4.
    branch
        Branch that it goes onto.
    person
        Whose choice it is; by default the name of the login.
    """
    book = _book(place, person)
    chosen = book.open(clip)
    _said(book, book.keep(chosen, branch=branch), chosen, f"kept on {branch}", place)


def reject(clip: str, *, person: str | None = None, place: Place = PLACE) -> None:
    """Reject a take; `a1-reactor gc` deletes it.

    Parameters
    ----------
    clip
        The take: its id, folder or mp4.
    person
        Whose choice it is; by default the name of the login.
    """
    book = _book(place, person)
    chosen = book.open(clip)
    _said(book, book.reject(chosen), chosen, "rejected", place)


def prefer(chosen: str, rejected: str, *, person: str | None = None, place: Place = PLACE) -> None:
    """Say which of two takes of the same window is better, without keeping or rejecting either.

    Parameters
    ----------
    chosen
        The better take.
    rejected
        The worse one.
    person
        Whose choice it is; by default the name of the login.
    """
    book = _book(place, person)
    better, worse = book.open(chosen), book.open(rejected)
    _said(book, book.prefer(better, worse), better, f"preferred to {worse.key}", place)


def undo(*, person: str | None = None, place: Place = PLACE) -> None:
    """Take back your newest choice; everything is as if it had not been made.

    Parameters
    ----------
    person
        Whose choice; by default that of the login.
    """
    book = _book(place, person)
    choice = book.undo()
    _publish(book)
    action, key = choice.data["action"], choice.data["clip"]
    if place.json:
        print_json(
            {"undone": {"action": action, "clip_id": key, "event_id": choice.event_id}, "branches": _heads(book)}
        )
    else:
        print(f"{action} of {key} is undone")


def branch(
    name: str | None = None, clip: str | None = None, *, person: str | None = None, place: Place = PLACE
) -> None:
    """Point a branch at a clip; without a clip, show where it points, and without a name, list all branches.

    Parameters
    ----------
    name
        Name of the branch.
    clip
        The clip to point it at: its id, folder or mp4, or another branch.
    person
        Whose choice it is; by default the name of the login.
    """
    from reactor_core.errors import NotFound

    book = _book(place, person)
    if name is not None and clip is not None:
        chosen = book.open(clip)
        _said(book, book.branch(name, chosen), chosen, f"is the head of {name}", place)
        return
    heads = _heads(book)
    if name is not None and name not in heads:
        raise NotFound(f"there is no branch {name!r}", remedy=f"a1-reactor branch {name} CLIP makes it")
    shown = heads if name is None else {name: heads[name]}
    if place.json:
        print_json({"branches": shown})
    else:
        for one, head in shown.items():
            print(f"{one}\t{head}")
        if not shown:
            open_terminal().note("  there is no branch yet: a1-reactor keep TAKE makes one")


def _book(options: Common | Place, person: str | None) -> TakeBook:
    from a1_reactor.engine.takes import TakeBook
    from a1_reactor.storage.store import ClipStore
    from reactor_core.utils.settings import load_settings

    return TakeBook(
        ClipStore(config_of(options).workspace),
        actor=person or getpass.getuser(),
        usd_per_hour=load_settings().machine_price_usd_per_hour,
    )


def _keep_best(book: TakeBook, clips: list[Clip], metric: str, branch: str) -> Clip:
    from a1_reactor.engine.take_facts import best_of

    best = best_of(clips, metric)
    book.keep(best, branch=branch, chooser=f"metric:{metric}")
    _publish(book)
    open_terminal().note(f"  kept {best.key} on {branch}: best of {len(clips)} by {metric}")
    return best


def _publish(book: TakeBook) -> None:
    """Into the journal; a choice stands without it, so its failure is said and does not undo the choice."""
    from reactor_core.errors import JournalError, StorageError
    from reactor_core.events.journal import JOURNAL_NAME
    from reactor_core.utils.settings import load_settings

    try:
        book.publish(load_settings().workspace / JOURNAL_NAME)
    except (JournalError, StorageError) as error:
        open_terminal().note(f"  the choice stands, but the journal has not got it yet: {error.message}")


def _said(book: TakeBook, event: Event, clip: Clip, words: str, place: Place) -> None:
    _publish(book)
    if place.json:
        print_json({**book.take(clip).to_json(), "event_id": event.event_id, "branch_heads": _heads(book)})
    else:
        print(f"{clip.key} {words}")


def _heads(book: TakeBook) -> dict[str, str]:
    return dict(sorted(book.log.state().branches.items()))


def _list(book: TakeBook, parent: Clip, common: Common) -> None:
    found = book.takes_of(parent.key)
    if common.json:
        print_json({"parent_id": parent.key, "takes": [take.to_json() for take in found], "branches": _heads(book)})
    elif found:
        _show(found)
    else:
        open_terminal().note(f"  clip {parent.key} has no takes yet: a1-reactor takes {parent.key} --window START END")


def _show(found: list[Take]) -> None:
    for take in found:
        spans = " ".join(f"{window.start}..{window.stop - 1}" for window in take.clip.job.resolved.windows)
        verdict = "-" if take.verdict is None else "kept" if take.verdict.kept else "rejected"
        numbers = "  ".join(f"{name} {_number(value)}" for name, value in take.metrics.items())
        print(f"{take.clip.key}\tframes {spans}\tseed {take.clip.job.resolved.seed}\t{verdict}\t{numbers}")


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}"
