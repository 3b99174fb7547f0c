from __future__ import annotations

import subprocess
import sys

import apsw
import pytest

from reactor_core.errors import ArtifactCorrupt, StorageError
from reactor_core.events.keys import KEY_NAME, audit_signer, known_keys, remember
from reactor_core.events.note import NoteError


@pytest.fixture
def db():
    db = apsw.Connection(":memory:")
    db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
    return db


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first = audit_signer(tmp_path, "j")
    assert audit_signer(tmp_path, "j").verifier == first.verifier
    assert (tmp_path / KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / KEY_NAME).parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["audit.pem"]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    code = (
        "import sys, pathlib; from reactor_core.events.keys import audit_signer; sys.stdin.readline();"
        "print(audit_signer(pathlib.Path(sys.argv[1]), 'j').verifier)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert answers == {f"{audit_signer(tmp_path, 'j').verifier}\n"}


def test_a_file_that_is_no_key_is_refused(tmp_path):
    audit_signer(tmp_path, "j")
    (tmp_path / KEY_NAME).write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ArtifactCorrupt, match=r"audit\.pem"):
        audit_signer(tmp_path, "j")


def test_a_folder_that_cannot_be_made_is_an_error_of_storage(tmp_path):
    (tmp_path / "keys").write_text("a file is in the way")
    with pytest.raises(StorageError):
        audit_signer(tmp_path, "j")


def test_public_keys_are_remembered_once_and_in_order(db, tmp_path):
    one, other = audit_signer(tmp_path / "a", "j").verifier, audit_signer(tmp_path / "b", "j").verifier
    assert known_keys(db) == []
    for key in (one, other, one):
        remember(db, key)
    assert known_keys(db) == [one, other]


def test_a_damaged_entry_is_an_error_and_the_next_key_replaces_it(db, tmp_path):
    key = audit_signer(tmp_path, "j").verifier
    remember(db, key)
    db.execute("UPDATE meta SET value = value || ' '")
    with pytest.raises(NoteError):
        known_keys(db)
    remember(db, key)
    assert known_keys(db) == [key]
