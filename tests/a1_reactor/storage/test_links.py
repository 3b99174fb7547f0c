import errno
import os

import pytest

from a1_reactor.storage.links import is_sealed, same_file_as, seal


def test_the_second_name_holds_the_same_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"frame")
    how = same_file_as(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"frame"
    assert how in {"reflink", "hardlink"}


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_there_are_no_links_a_read_only_copy_is_made(tmp_path, monkeypatch, code):
    def refuse(*args, **options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr("a1_reactor.storage.links._reflink", lambda source, target: False)
    (tmp_path / "a").write_bytes(b"frame")
    assert same_file_as(tmp_path / "a", tmp_path / "b") == "copy"
    assert (tmp_path / "b").read_bytes() == b"frame"
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o444


def test_any_other_failure_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setattr("a1_reactor.storage.links._reflink", lambda source, target: False)
    with pytest.raises(FileNotFoundError):
        same_file_as(tmp_path / "gone", tmp_path / "b")


def test_a_seal_breaks_when_somebody_writes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"frame")
    assert not is_sealed(path.stat())
    seal(path)
    assert is_sealed(path.stat())
    path.chmod(0o644)
    assert not is_sealed(path.stat()), "a file that may be written to is not sealed"
    path.write_bytes(b"other")
    path.chmod(0o444)
    assert not is_sealed(path.stat())


def test_both_names_of_a_link_have_one_inode(tmp_path):
    (tmp_path / "a").write_bytes(b"frame")
    if same_file_as(tmp_path / "a", tmp_path / "b") == "hardlink":
        assert (tmp_path / "a").samefile(tmp_path / "b")
