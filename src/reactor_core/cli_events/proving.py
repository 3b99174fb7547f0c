"""``reactor audit``: is the journal as it was written, and is an event in it?"""

from __future__ import annotations

import json as jsonlib
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from reactor_core.errors import ConfigError, NotFound
from reactor_core.events.archive import verify_archive
from reactor_core.events.audit import verify_workspace
from reactor_core.events.proof import check_proof, newest_checkpoint, prove_event
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import load_settings

__all__ = ["check", "checkpoint", "proof", "verify"]

_PROOF = "pass what reactor audit proof printed"

Json = Annotated[bool, Parameter(name="--json", negative=())]


def verify(
    place: Path | None = None,
    *,
    since: Annotated[int | None, Parameter(name="--from")] = None,
    proof_of: Annotated[str | None, Parameter(name="--proof")] = None,
    anchor: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    json: Json = False,
) -> int:
    """Verify a journal.

    Parameters
    ----------
    place
        Workspace, journal file, a copy of either, or an archive of deleted events (ends in .jsonl); without it, the
        workspace of REACTOR_WORKSPACE.
    since
        Walk the rows from this position on, from the last checkpoint before it.
    proof_of
        Prove this event as well, by its id.
    anchor
        Compare with the checkpoints at this path, redis:// or gs:// address; without it, with the files that the
        settings name. May be given several times.
    json
        Print one JSON object.
    """
    if place is not None and place.suffix == ".jsonl":
        return _verify_archive(place, json=json)
    settings = load_settings()
    report = verify_workspace(
        place or settings.workspace, since=since, proof=proof_of, anchors=anchor or None, settings=settings
    )
    if json:
        print_json(report.as_dict())
    else:
        for line in report.lines():
            sys.stdout.write(line + "\n")
        if report.proof is not None:
            sys.stdout.write(jsonlib.dumps(report.proof) + "\n")
    return report.exit_code


def _verify_archive(file: Path, *, json: bool) -> int:
    if not file.is_file():
        raise NotFound(f"no file {file}")
    report = verify_archive(file)
    if json:
        print_json(asdict(report))
    else:
        sys.stdout.write(f"{report.detail}\nhead {report.head}\n")
    return 0 if report.ok else 1


def proof(event_id: str, place: Path | None = None) -> None:
    """Print the proof that an event is in the journal.

    Parameters
    ----------
    event_id
        Id of the event.
    place
        Workspace, journal file, or a copy of either.
    """
    print_json(prove_event(place or load_settings().workspace, event_id))


def checkpoint(place: Path | None = None, *, json: Json = False) -> None:
    """Print the newest signed checkpoint.

    Parameters
    ----------
    place
        Workspace, journal file, or a copy of either.
    json
        Print one JSON object, with the public key.
    """
    found = newest_checkpoint(place or load_settings().workspace)
    if json:
        print_json(found)
    else:
        sys.stdout.write(found["note"])


def check(file: Path, *, key: str | None = None, json: Json = False) -> int:
    """Check a proof without the journal.

    Parameters
    ----------
    file
        What `reactor audit proof` printed.
    key
        The public key that you trust, as its owner gave it to you; without it, the proof's own word is taken.
    json
        Print one JSON object.
    """
    try:
        shown = jsonlib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"no file {file}") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} is no proof: {error}", remedy="pass what reactor audit proof printed") from error
    if not isinstance(shown, dict):
        raise ConfigError(
            f"{file} is no proof: a JSON object is needed", remedy="pass what reactor audit proof printed"
        )
    problem = check_proof(shown, key=key)
    said = "event {event_id} is at {seq} of journal {journal_id}".format_map(shown) if problem is None else problem
    if json:
        print_json({"ok": problem is None, "detail": said, "key_given": key is not None})
    else:
        sys.stdout.write(said + "\n")
        if problem is None and key is None:
            sys.stderr.write(f"signed by {shown['key']}; pass the key that you trust with --key\n")
    return 0 if problem is None else 1
