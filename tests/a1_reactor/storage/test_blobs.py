import errno
import hashlib
import os

import pytest

from a1_reactor.storage.blobs import Blobs

KEY = "ab" * 32


@pytest.fixture
def blobs(tmp_path):
    return Blobs(tmp_path / "store")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "made"
    path.write_bytes(b"frame")
    return path


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_a_published_frame_is_the_same_file_under_another_name(blobs, file, tmp_path):
    blobs.publish_frame(KEY, file)
    assert blobs.adopt_frame(KEY, b"frame", tmp_path / "again")
    assert (tmp_path / "again").samefile(file)


def test_a_frame_that_is_not_there_or_has_other_bytes_is_not_adopted(blobs, file, tmp_path):
    assert not blobs.adopt_frame(KEY, b"frame", tmp_path / "again")
    blobs.publish_frame(KEY, file)
    for other in (b"framE", b"frames"):
        assert not blobs.adopt_frame(KEY, other, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_damaged_shared_frame_is_replaced_and_its_other_names_are_left_alone(blobs, file, tmp_path):
    blobs.publish_frame(KEY, file)
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"frame, whole")
    blobs.publish_frame(KEY, fresh)
    assert blobs.adopt_frame(KEY, b"frame, whole", tmp_path / "again")
    assert file.read_bytes() == b"frame"


def test_publishing_twice_changes_nothing(blobs, file):
    blobs.publish_frame(KEY, file)
    blobs.publish_frame(KEY, file)
    assert file.stat().st_nlink == 2


def test_a_segment_is_found_by_what_it_was_made_of_and_hashed(blobs, file, tmp_path):
    hash_ = sha256(b"frame")
    blobs.publish_segment(KEY, hash_, file)
    assert blobs.adopt_segment(KEY, tmp_path / "again") == hash_
    assert blobs.adopt_segment("cd" * 32, tmp_path / "other") is None


def test_a_damaged_segment_is_not_found_and_removed(blobs, file, tmp_path):
    blobs.publish_segment(KEY, sha256(b"frame"), file)
    file.write_bytes(b"framE")
    assert blobs.adopt_segment(KEY, tmp_path / "again") is None
    assert list(blobs.files()) == []
    assert file.exists()


def test_files_are_listed_by_the_name_that_manifests_know(blobs, file):
    blobs.publish_frame(KEY, file)
    blobs.publish_segment("cd" * 32, sha256(b"frame"), file)
    assert [(name, path.suffix) for name, path in blobs.files()] == [(KEY, ".png"), ("cd" * 32, ".m4s")]


def test_where_a_second_name_would_be_a_second_copy_nothing_is_shared(blobs, file, tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr("a1_reactor.storage.links._reflink", lambda source, target: False)
    blobs.publish_frame(KEY, file)
    assert list(blobs.files()) == []
    assert not blobs.adopt_frame(KEY, b"frame", tmp_path / "again")
