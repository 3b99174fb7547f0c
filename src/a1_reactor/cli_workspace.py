"""``a1-reactor presets``, ``verify`` and ``gc``: looking after a workspace of clips."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from cyclopts import Parameter

from a1_reactor.cli_perform import PLACE, Place, config_of, open_clip, open_terminal
from reactor_core.utils.command import print_json

__all__ = ["gc", "presets", "verify"]


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
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    place: Place = PLACE,
) -> None:
    """Delete rejected takes and all that no clip needs; kept takes, branches and what they were made of stay.

    Parameters
    ----------
    undecided_days
        Delete as well takes that nobody decided about and that are older than so many days.
    dry_run
        Say what would be deleted, and delete nothing.
    """
    from a1_reactor.engine.garbage import collect_garbage
    from a1_reactor.engine.takes import TakeBook
    from a1_reactor.storage.store import ClipStore
    from reactor_core.errors import ConfigError
    from reactor_core.utils.clock import SystemClock

    if undecided_days is not None and not 0 <= undecided_days <= 36_500:
        raise ConfigError(f"undecided_days={undecided_days:g} is outside 0..36500")
    before = None if undecided_days is None else SystemClock().utc_now() - timedelta(days=undecided_days)
    book = TakeBook(ClipStore(config_of(place).workspace), actor="gc")
    if not dry_run:
        book.store.sweep()
    found = collect_garbage(book, undecided_before=before, dry_run=dry_run)
    if place.json:
        print_json(found.to_json())
        return
    report = found.clips
    for key in report.clips:
        print(f"{key}\t{'would be deleted' if dry_run else 'deleted'}")
    for key in report.busy:
        print(f"{key}\tis in use and stays")
    open_terminal().note(
        f"  {len(report.clips)} clips, {report.frames} frames, {report.segments} segments, "
        f"{len(found.sources)} imported files: {report.bytes / 1e6:,.1f} MB"
    )
