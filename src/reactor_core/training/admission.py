"""Whether a run may begin here: what the machine is for, and whether the run's peak memory is free."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import torch

from reactor_core.data.chat import ChatFormat
from reactor_core.data.records import Dataset, read_dataset
from reactor_core.errors import ConfigError
from reactor_core.models.entry import ModelEntry
from reactor_core.models.load import load_tokenizer
from reactor_core.training.card import tokenizer_hash
from reactor_core.training.config import TrainingConfig
from reactor_core.training.objective import encode_rows
from reactor_core.training.plan import Plan, Subject, plan_run, remedies
from reactor_core.training.sketch import sketch_model
from reactor_core.training.start import Start
from reactor_core.utils.environment import Environment, Mode
from reactor_core.utils.environment_memory import GIB, MemoryRoom, probe_memory
from reactor_core.utils.settings import Settings

__all__ = ["admit", "prepare_subject", "require_room", "require_training", "room_on", "surely_fits"]

_FLOATS_PER_TOKEN = (24, 8)
"""No family that was looked at keeps more for a token in a layer than so many times its hidden width and its MLP's."""
_SPARE = 512 * 2**20
"""For everything beside weights and activations."""


def require_training(environment: Environment) -> None:
    """Refuse a machine that is for inference.

    Raises:
        ConfigError: It is; says why.
    """
    if environment.mode is Mode.INFERENCE_ONLY:
        raise ConfigError(
            f"this machine is for inference only: {'; '.join(environment.reasons)}",
            remedy="train on a cloud machine, or set anyway=True (reactor train --anyway) if nothing else runs here",
        )


def room_on(device: torch.device) -> MemoryRoom:
    """The memory in which a model computes."""
    if device.type != "cuda":
        return probe_memory()
    free, total = torch.cuda.mem_get_info(device)
    name = torch.cuda.get_device_name(device)
    return MemoryRoom(total, free, f"{name} has {free / GIB:.1f} of {total / GIB:.1f} GiB free")


def surely_fits(config: TrainingConfig, entry: ModelEntry, room: MemoryRoom) -> bool:
    """Whether a generous bound, from file sizes and ``config.json`` alone, is less than half of what is free.

    It takes microseconds, and spares most runs their rehearsal. False says nothing.
    """
    described: Mapping[str, Any] = json.loads((entry.path / "config.json").read_text(encoding="utf-8"))
    width = described.get("hidden_size", described.get("n_embd"))
    layers = described.get("num_hidden_layers", described.get("n_layer"))
    if not isinstance(width, int) or not isinstance(layers, int) or any("expert" in name for name in described):
        return False
    inner = described.get("intermediate_size") or described.get("n_inner") or 4 * width
    # Stored in 16 bits, weights take twice their file. All trained: weights, two sets of gradients, two moments.
    weights = entry.size * 2 * (1.5 if config.use_lora else 5)
    tokens = max(config.micro_batch_tokens, config.max_length * (1 if config.method == "sft" else 2))
    bound = weights + 4 * layers * tokens * (_FLOATS_PER_TOKEN[0] * width + _FLOATS_PER_TOKEN[1] * inner) + _SPARE
    return bound < room.available / 2


def prepare_subject(
    config: TrainingConfig,
    entry: ModelEntry,
    dataset: Dataset,
    *,
    start: Start | None,
    held: Dataset | None,
    settings: Settings,
    device: torch.device,
) -> Subject:
    """Tokenize the rows, and make ready what a plan asks for. The tokens are kept, and the run finds them.

    Args:
        config: Of the run.
        entry: The base model.
        dataset: What is trained on.
        start: The adapter that the run starts from, or None.
        held: What is measured on, or None.
        settings: Where tokens are kept.
        device: Where the model is computed. What this process has taken counts on the processor alone.

    Raises:
        DatasetError: As :func:`~reactor_core.training.objective.encode_rows`.
        ArtifactCorrupt: The model's folder describes no causal model.
    """
    tokenizer = load_tokenizer(entry.path)
    model = sketch_model(entry.path, config)
    if start is not None:
        config = start.shape(config, model)
    chat = ChatFormat(tokenizer, config.chat_template)
    kept, digest = settings.workspace / "cache" / "tokens", tokenizer_hash(tokenizer)
    documents, pairs = encode_rows(dataset, chat, config, model=model, folder=kept, tokenizer=digest)
    held_tokens = 0
    if held is not None:
        table, _ = encode_rows(held, chat, config, model=model, folder=kept, tokenizer=digest)
        held_tokens = int(table.lengths.sum())
    folder: Path = entry.path
    return Subject(
        config=config,
        sketch=lambda changed: sketch_model(folder, changed),
        documents=documents,
        pairs=pairs,
        held=held_tokens,
        process=int(psutil.Process().memory_info().rss) if device.type == "cpu" else 0,
    )


def require_room(subject: Subject, plan: Plan) -> None:
    """Refuse a run that does not fit.

    Raises:
        ConfigError: It does not; says which options would.
    """
    if plan.fits:
        return
    needed = plan.memory.to_come
    helpful = "; or ".join(
        f"{change} (about {other.memory.peak / GIB:.1f} GiB)" for change, _, other in remedies(subject, plan)
    )
    whole = math.ceil((needed + plan.memory.process) / GIB)
    raise ConfigError(
        f"this run would peak at about {plan.memory.peak / GIB:.1f} GiB, {needed / GIB:.1f} more than this process has "
        f"now, and {plan.room.reason}",
        remedy=f"{helpful or f'a machine with {whole} GiB free, or a smaller model'}; anyway=True (reactor train "
        "--anyway) starts it regardless; reactor train --plan shows the parts",
    )


def admit(
    config: TrainingConfig,
    entry: ModelEntry,
    dataset: Dataset,
    *,
    start: Start | None,
    settings: Settings,
    environment: Environment,
    device: torch.device,
) -> None:
    """Refuse a run that the machine is not for, or that does not fit. What is sure to fit costs nothing to ask.

    Args:
        config: Of the run; with ``anyway`` everything is let in.
        entry: The base model.
        dataset: What is trained on.
        start: The adapter that the run starts from, or None.
        settings: Where tokens are kept.
        environment: What the machine is.
        device: Where the model is computed; its memory counts.

    Raises:
        ConfigError: It is refused.
        DatasetError: As :func:`prepare_subject`.
    """
    if config.anyway:
        return
    require_training(environment)
    room = room_on(device)
    if environment.mode is Mode.FULL_TRAINING and surely_fits(config, entry, room):
        return
    held = None if config.eval_dataset is None else read_dataset(config.eval_dataset)
    subject = prepare_subject(config, entry, dataset, start=start, held=held, settings=settings, device=device)
    try:
        plan = plan_run(subject, room)
    except RuntimeError as error:
        warnings.warn(
            f"the run's peak memory cannot be estimated beforehand ({str(error).splitlines()[0]}); {room.reason}",
            stacklevel=2,
        )
        return
    require_room(subject, plan)
