"""GGUF weights to safetensors, once."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reactor_core.models.fetch import Progress
from reactor_core.utils.extras import require

__all__ = ["convert_gguf"]


def convert_gguf(gguf: Path, folder: Path, progress: Progress) -> dict[str, Any]:
    """Dequantize to float32 and save model, tokenizer and chat template in ``folder``.

    Returns:
        Facts for the card: the versions that converted it and the number of parameters.

    Raises:
        MissingExtra: The extra ``[train]`` is not installed.
    """
    require("gguf", feature="reading GGUF weights", extra="train")
    torch = require("torch", feature="converting a model", extra="train")
    transformers = require("transformers", feature="converting a model", extra="train")
    source, name = str(gguf.parent), gguf.name
    progress("convert", 0, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside transformers' GGUF reader are not ours to act on
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, gguf_file=name)
        progress("convert", 1, 3)
        model = transformers.AutoModelForCausalLM.from_pretrained(source, gguf_file=name, dtype=torch.float32)
    progress("convert", 2, 3)
    # The weights are plain float32 now; left in place, the quantizer would refuse to save them.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    progress("convert", 3, 3)
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "converted_with": {package: version(package) for package in ("torch", "transformers", "gguf")},
    }
