import zipfile

import pytest

from a1_reactor.media.export_stills import export_stills
from reactor_core.errors import StorageError


def test_files_come_back_and_equal_clips_give_equal_zips(tmp_path):
    files = [("frames/000000.png", b"one"), ("clip.json", b"{}")]
    for name in ("a.zip", "b.zip"):
        export_stills(iter(files), tmp_path / name)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert [(entry.filename, archive.read(entry)) for entry in archive.infolist()] == files
        assert archive.testzip() is None
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StorageError):
        export_stills([("a", b"b")], tmp_path / "none" / "a.zip")
