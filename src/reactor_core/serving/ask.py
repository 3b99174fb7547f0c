"""Asking a served model from the command line: by alias of its adapter, in chat or as a verdict on an action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reactor_core.data.experience import read_experience
from reactor_core.errors import ConfigError, NotFound
from reactor_core.eval import LABELS, VerdictReport, evaluate_verdicts, verdict_messages
from reactor_core.eval.verdicts import ChoiceScorer, Messages
from reactor_core.serving.engine import Engine, load_engine
from reactor_core.serving.registry import AdapterRegistry
from reactor_core.utils.console import Advance, Narrator
from reactor_core.utils.settings import Settings

__all__ = ["Answer", "evaluate_file", "find_adapter", "open_chat", "scorer_with_progress"]

_CHUNK = 32
"""Rows scored between two looks at the progress bar."""


@dataclass(frozen=True)
class Answer:
    """What the model said."""

    text: str
    """The answer; for an action, its verdict."""
    probabilities: dict[str, float] | None
    """For an action: each verdict's share among the three. None for chat."""

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def find_adapter(name: str, settings: Settings) -> Path | None:
    """The folder of an adapter.

    Args:
        name: ``current``, ``none`` for no adapter, the first digits of a registered id, or a folder.
        settings: Where the workspace is.

    Raises:
        NotFound: Nothing is registered yet, or neither an id nor a folder is of that name.
        ConfigError: Several ids begin with these digits.
        ArtifactCorrupt: The registered adapter's files were changed.
    """
    if name == "none":
        return None
    registry = AdapterRegistry(settings.workspace)
    if name == "current":
        entry = registry.current()
        if entry is None:
            raise NotFound(
                f"no adapter is registered in {settings.workspace}",
                remedy="run reactor demo, or name a folder: --adapter DIR, or ask the untuned model: --adapter none",
            )
        return registry.check(entry)
    if Path(name).is_dir():
        return Path(name)
    found = [entry for entry in registry.list() if entry.entry_id.startswith(name)]
    if not found:
        raise NotFound(f"no adapter {name!r}: neither a folder nor a registered id", remedy="reactor adapters list")
    if len(found) > 1:
        raise ConfigError(f"--adapter {name} fits {len(found)} registered ids", remedy="give more digits")
    return registry.check(found[0])


def open_chat(
    *, adapter: str, model: str, kind: str | None, max_new_tokens: int, settings: Settings
) -> Callable[[str], Answer]:
    """Load a model once and return a function that answers.

    Args:
        adapter: As for :func:`find_adapter`.
        model: Alias, hub id or folder of the base model.
        kind: Take each message as an action of this kind and answer with the likeliest verdict; None chats, with the
            conversation so far as context.
        max_new_tokens: Longest answer in tokens.
        settings: Where models and adapters are kept.
    """
    engine = load_engine(model, adapter=find_adapter(adapter, settings), settings=settings)
    if kind is not None:
        return lambda action: _verdict(engine.choice_logprobs([verdict_messages(action, kind)], LABELS)[0])
    history: list[dict[str, str]] = []

    def talk(message: str) -> Answer:
        history.append({"role": "user", "content": message})
        text = engine.generate(history, max_new_tokens=max_new_tokens)
        history.append({"role": "assistant", "content": text})
        return Answer(text, None)

    return talk


def evaluate_file(file: Path, *, adapter: str, model: str, settings: Settings, narrator: Narrator) -> VerdictReport:
    """Judge every labelled action of a file.

    Raises:
        DatasetError: A line of the file is not valid.
        NotFound: As for :func:`find_adapter`.
    """
    rows = read_experience(file)
    with narrator.step("Load the model"):
        engine = load_engine(model, adapter=find_adapter(adapter, settings), settings=settings)
    with narrator.step(f"Judge {len(rows)} actions") as advance:
        return evaluate_verdicts(scorer_with_progress(engine, len(rows), advance), rows)


def scorer_with_progress(engine: Engine, total: int, advance: Advance | None) -> ChoiceScorer:
    """A scorer for :func:`~reactor_core.eval.evaluate_verdicts` that tells how far it is.

    Args:
        engine: The model.
        total: Rows of all calls together.
        advance: Told after every few rows; None for nobody.
    """
    done = 0

    def score(prompts: Sequence[Messages], choices: Sequence[str]) -> np.ndarray:
        nonlocal done
        parts = []
        for start in range(0, len(prompts), _CHUNK):
            part = prompts[start : start + _CHUNK]
            parts.append(engine.choice_logprobs(part, choices))
            done += len(part)
            if advance is not None:
                advance(f"{done} of {total} rows", done / total)
        return np.concatenate(parts)

    return score


def _verdict(logprobs: np.ndarray) -> Answer:
    shares = np.exp(logprobs - logprobs.max())
    shares /= shares.sum()
    return Answer(
        LABELS[int(shares.argmax())], {label: float(share) for label, share in zip(LABELS, shares, strict=True)}
    )
