"""Looking at the machine without being held up or misled by it."""

from __future__ import annotations

import os
from pathlib import Path

from reactor_core.safety.machine import Machine

MACHINE = Machine()


def test_a_small_regular_file_is_read_whole_and_a_larger_one_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "run.sh"
    file.write_bytes(b"echo hello\n")
    assert MACHINE.read(str(file), 11) == b"echo hello\n"
    assert MACHINE.read(str(file), 10) is None


def test_pipes_devices_and_absent_files_are_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert MACHINE.read(str(pipe), 100) is None
    assert MACHINE.read("/dev/zero", 100) is None
    assert MACHINE.read(str(tmp_path / "absent"), 100) is None
    assert MACHINE.read(str(tmp_path), 100) is None


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert MACHINE.resolve(str(tmp_path / "link" / "x")) == str(tmp_path / "real" / "x")
    assert MACHINE.is_dir(str(tmp_path / "link"))
    assert not MACHINE.is_dir(str(tmp_path / "absent"))


def test_patterns_stand_for_what_is_there_up_to_a_limit(tmp_path: Path) -> None:
    for name in ("a.pyc", "b.pyc", ".hidden.pyc", "c.py"):
        (tmp_path / name).touch()
    assert MACHINE.glob(f"{tmp_path}/*.pyc", 2) == [f"{tmp_path}/a.pyc", f"{tmp_path}/b.pyc"]
    assert MACHINE.glob(f"{tmp_path}/*.pyc", 1) is None
    assert MACHINE.glob(f"{tmp_path}/*.txt", 1) == []
