"""Bits of the journal's file are flipped, its end is cut off: nothing that is stored changed, or it is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from reactor_core.errors import ReactorError
from reactor_core.events import Journal, new_event
from reactor_core.events.audit import verify_workspace

ROWS = 80


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose journal has rows of all lanes, checkpoints, and everything in one file."""
    workspace = tmp_path_factory.mktemp("sound") / "workspace"
    with Journal(workspace / "reactor.db") as journal:
        for number in range(ROWS):
            data = {"number": number, "text": "what happened " * 4}
            event, payload = new_event("user", "fault_probe", data, priority=1 + number % 4)
            journal.append(event, payload=payload).result(30)
    assert not (workspace / "reactor.db-wal").exists(), "the last to close writes everything back"
    return workspace


def rows(workspace: Path) -> list[tuple[object, ...]]:
    """Everything that is stored, as the database gives it; no rows where it cannot."""
    db = apsw.Connection(str(workspace / "reactor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return db.execute("SELECT * FROM events ORDER BY seq").fetchall()
    except (apsw.Error, UnicodeDecodeError):
        return []
    finally:
        db.close()


def found(workspace: Path) -> bool:
    """Whether the audit objects, by its report or by an error of ours."""
    try:
        return not verify_workspace(workspace).ok
    except ReactorError:
        return True


def test_a_sound_journal_is_found_sound(sound):
    assert len(rows(sound)) == ROWS
    assert not found(sound)


def test_a_flipped_bit_is_found_or_changed_nothing_that_is_stored(sound, tmp_path, tally):
    before = rows(sound)
    content = (sound / "reactor.db").read_bytes()
    workspace = tmp_path / "workspace"
    shutil.copytree(sound, workspace)
    missed = []
    for _ in tally.times(40):
        place, bit = tally.chance.randrange(len(content)), tally.chance.randrange(8)
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        (workspace / "reactor.db").write_bytes(damaged)
        noticed, changed = found(workspace), rows(workspace) != before
        tally.count("bits flipped")
        tally.count("bits flipped in what is stored", changed)
        if changed and not noticed:
            missed.append((place, bit))
    assert missed == []


def test_a_file_that_was_cut_off_is_found(sound, tmp_path, tally):
    content = (sound / "reactor.db").read_bytes()
    workspace = tmp_path / "workspace"
    shutil.copytree(sound, workspace)
    before = rows(sound)
    for _ in tally.times(8):
        (workspace / "reactor.db").write_bytes(content[: tally.chance.randrange(1, len(content))])
        tally.count("files cut off")
        assert found(workspace) or rows(workspace) == before


def test_rows_cut_off_behind_the_last_anchor_are_found(sound, tmp_path, tally):
    for _ in tally.times(3):
        workspace = tmp_path / "workspace"
        shutil.rmtree(workspace, ignore_errors=True)
        shutil.copytree(sound, workspace)
        keep = tally.chance.randrange(0, ROWS)
        db = apsw.Connection(str(workspace / "reactor.db"))
        # Somebody who knows the tables removes every trace of the last rows from the file.
        db.execute("DELETE FROM events WHERE seq > ?", (keep,))
        db.execute("DELETE FROM checkpoints WHERE size > ?", (keep,))
        db.close()
        tally.count("tails removed")
        assert found(workspace), f"{ROWS - keep} rows are gone and nobody noticed"
