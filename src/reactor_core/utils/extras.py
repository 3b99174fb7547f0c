"""Optional parts: one clear error with the install line where an extra is absent."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from reactor_core.errors import MissingExtra

__all__ = ["installed", "missing_extra", "require"]

_EXTRA_OF = {
    "bitsandbytes": "train",
    "cv2": "media",
    "diffusers": "generate",
    "gguf": "train",
    "google": "gcp",
    "huggingface_hub": "train",
    "isal": "media",
    "lm_eval": "eval",
    "matplotlib": "train",
    "mlflow": "report",
    "peft": "train",
    "safetensors": "train",
    "tensorboard": "report",
    "tokenizers": "train",
    "torch": "train",
    "trackio": "trackio",
    "transformers": "train",
    "wandb": "report",
}
"""Module -> the extra that installs it."""


def installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is absent
        return False


def require(module: str, *, feature: str, extra: str) -> ModuleType:
    """Import an optional module.

    Args:
        module: Name to import, such as ``"torch"``.
        feature: What the caller was about to do, for the message.
        extra: Extra of this distribution that installs it.

    Raises:
        MissingExtra: The module is not installed.
    """
    if not installed(module.partition(".")[0]):
        raise MissingExtra(feature, extra)
    return importlib.import_module(module)


def missing_extra(error: ModuleNotFoundError, feature: str) -> MissingExtra | None:
    """The error to raise instead where an import failed because an extra is absent; None for any other module."""
    extra = _EXTRA_OF.get((error.name or "").partition(".")[0])
    return None if extra is None else MissingExtra(feature, extra)
