"""``a1-reactor clips``, ``presets``, ``verify`` and ``gc``: looking after a workspace of clips."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from a1_reactor.cli_perform import PLACE, Place, config_of, open_clip, open_terminal
from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from a1_reactor.storage.choices import TakeState
    from a1_reactor.storage.manifest import JobRecord

__all__ = ["clips", "gc", "presets", "verify"]

_PROMPT = 60
"""Characters of a prompt that are shown in a list."""


def clips(*, limit: int = 20, place: Place = PLACE) -> None:
    """List the clips that are there, the newest first: what they are made from, what was said of them.

    Parameters
    ----------
    limit
        At most so many; 0 lists all.
    """
    from a1_reactor.storage.manifest import JobRecord
    from a1_reactor.storage.store import ClipStore
    from a1_reactor.storage.takes import TakeLog
    from reactor_core.errors import ArtifactCorrupt, ConfigError

    if limit < 0:
        raise ConfigError(f"limit={limit} is below 0", remedy="0 lists all clips")
    store, terminal = ClipStore(config_of(place).workspace), open_terminal()
    found: list[tuple[str, JobRecord]] = []
    for key in store.clip_keys():
        try:
            found.append((key, JobRecord.load(store.cache / key / "job.json")))
        except ArtifactCorrupt as error:
            terminal.note(f"  {key} is left out: {error.message}")
    found.sort(key=lambda clip: (clip[1].created, clip[0]), reverse=True)
    state = TakeLog(store.workspace).state()
    shown = [_row(key, job, state) for key, job in found[: limit or None]]
    if place.json:
        print_json({"clips": shown, "total": len(found)})
        return
    for row in shown:
        print("\t".join(_cells(row)))
    if not found:
        terminal.note(f"  no clips in {store.cache}: a1-reactor demo makes one")
    elif len(shown) < len(found):
        terminal.note(f"  {len(found) - len(shown)} older ones are not shown: --limit 0 lists all")


def presets(*, place: Place = PLACE) -> None:
    """List the presets and templates, the built-in ones and those of presets.toml in the folder of the clips."""
    from a1_reactor.prompts import load_book
    from a1_reactor.prompts.presets import FILE_NAME

    workspace = config_of(place).workspace
    book = load_book(workspace)
    if place.json:
        print_json(
            {
                "presets": {
                    name: {"prompt": preset.prompt, "negative": preset.negative, "own": name in book.own}
                    for name, preset in book.presets.items()
                },
                "templates": {name: {"text": text, "own": name in book.own} for name, text in book.templates.items()},
                "file": str((workspace / FILE_NAME).resolve()),
            }
        )
        return
    for name, preset in book.presets.items():
        print(f"{name}\t{preset.prompt}" + ("" if preset.negative is None else f"\twithout {preset.negative}"))
    for name, text in book.templates.items():
        print(f"{name}\ttemplate: {text}")
    open_terminal().note(f"  your own go into {workspace / FILE_NAME}")


def verify(
    clip: str | None = None, *, no_decode: Annotated[bool, Parameter(negative=())] = False, place: Place = PLACE
) -> int:
    """Hash every file of a clip, or of all clips, and decode the mp4. Ends with 1 if one is not what was stored.

    Parameters
    ----------
    clip
        The clip: its id, folder or mp4, or a branch; without it, all of them.
    no_decode
        Leave the mp4 undecoded, which takes the most time.
    """
    from a1_reactor.storage.store import ClipStore
    from a1_reactor.storage.verify import verify_clip
    from reactor_core.errors import ArtifactCorrupt

    store = ClipStore(config_of(place).workspace)
    names = [clip] if clip is not None else store.clip_keys()
    reports = []
    with open_terminal().step("Verify") as advance:
        for done, name in enumerate(names):
            advance(f"{done}/{len(names)} clips", done / len(names))
            try:
                reports.append(verify_clip(open_clip(place, name), decode=not no_decode).to_json())
            except ArtifactCorrupt as error:
                reports.append({"clip": name, "problems": [error.message], "whole": False})
    if place.json:
        print_json({"clips": reports, "whole": all(report["whole"] for report in reports)})
    else:
        for report in reports:
            print(f"{report['clip']}\t" + ("whole" if report["whole"] else "; ".join(report["problems"])))
    return 0 if all(report["whole"] for report in reports) else 1


def gc(
    *,
    undecided_days: float | None = None,
    unfinished_days: float = 7.0,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    place: Place = PLACE,
) -> None:
    """Delete rejected takes and all that no clip needs; kept takes, branches and what they were made of stay.

    Parameters
    ----------
    undecided_days
        Delete as well takes that nobody decided about and that are older than so many days.
    unfinished_days
        Delete what providers answered for clips that were not finished, once nobody went on for so many days.
    dry_run
        Say what would be deleted, and delete nothing.
    """
    from a1_reactor.engine.garbage import collect_garbage
    from a1_reactor.engine.takes import TakeBook
    from a1_reactor.storage.store import ClipStore
    from reactor_core.errors import ConfigError
    from reactor_core.utils.clock import SystemClock

    for name, days in (("undecided_days", undecided_days), ("unfinished_days", unfinished_days)):
        if days is not None and not 0 <= days <= 36_500:
            raise ConfigError(f"{name}={days:g} is outside 0..36500")
    now = SystemClock().utc_now()
    before = None if undecided_days is None else now - timedelta(days=undecided_days)
    book = TakeBook(ClipStore(config_of(place).workspace), actor="gc")
    if not dry_run:
        book.store.sweep()
    found = collect_garbage(
        book, undecided_before=before, unfinished_before=now - timedelta(days=unfinished_days), dry_run=dry_run
    )
    if place.json:
        print_json(found.to_json())
        return
    report = found.clips
    for key in report.clips:
        print(f"{key}\t{'would be deleted' if dry_run else 'deleted'}")
    for key in report.busy:
        print(f"{key}\tis in use and stays")
    for key in found.answers:
        print(f"{key}\tunfinished, its provider's answers {'would be deleted' if dry_run else 'deleted'}")
    open_terminal().note(
        f"  {len(report.clips)} clips, {report.frames} frames, {report.segments} segments, "
        f"{len(found.sources)} imported files: {report.bytes / 1e6:,.1f} MB"
    )


def _row(key: str, job: JobRecord, state: TakeState) -> dict[str, Any]:
    """What is to be told of one clip."""
    from a1_reactor.types.rational import spell_rational

    spec, verdict = job.resolved, state.verdicts.get(key)
    return {
        "clip_id": key,
        "created": job.created,
        "frames": spec.frames,
        "fps": str(spell_rational(spec.fps)),
        "width": spec.width,
        "height": spec.height,
        "provider": spec.provider,
        "seed": spec.seed,
        "prompt": job.asked.prompt,
        "parent_id": job.parent,
        "windows": [[window.start, window.stop] for window in spec.windows],
        "branches": sorted(name for name, head in state.branches.items() if head == key),
        "verdict": None if verdict is None else "kept" if verdict.kept else "rejected",
    }


def _cells(row: dict[str, Any]) -> Iterator[str]:
    yield row["clip_id"]
    yield row["created"][:16].replace("T", " ")
    yield f"{row['frames']} frame{'s' if row['frames'] > 1 else ''} at {row['fps']} fps, {row['width']}x{row['height']}"
    windows = " ".join(f"{start}..{stop - 1}" for start, stop in row["windows"])
    yield f"{windows} of {row['parent_id']}" if windows else row["provider"]
    yield ", ".join([*([] if row["verdict"] is None else [row["verdict"]]), *row["branches"]]) or "-"
    yield row["prompt"] if len(row["prompt"]) <= _PROMPT else f"{row['prompt'][:_PROMPT]}..."
