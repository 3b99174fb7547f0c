"""What each of several processes does in a test; they are forked from one that has imported everything."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import warnings
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from tests.reactor_core.conftest import build_model, build_tokenizer

from reactor_core.data.packing import Document, pack
from reactor_core.errors import ConfigError, ReactorError, StorageFull
from reactor_core.events.latch import Latch
from reactor_core.models.attention import DOCUMENT_ATTENTION
from reactor_core.training.config import TrainingConfig
from reactor_core.training.curves import read_log
from reactor_core.training.distributed.shards import held_bytes, is_shared_out, share_out, whole
from reactor_core.training.distributed.turns import RankMeter
from reactor_core.training.distributed.world import Ranks, join
from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.training.lora import inject_lora, lora_modules
from reactor_core.training.step import accumulate
from reactor_core.training.trainer import Trainer
from reactor_core.utils.settings import Settings

PRELOAD = (
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "reactor_core.training.trainer",
    "tests.reactor_core.training.distributed.roles",
    "torch._dynamo",
    "transformers.models.gpt2.modeling_gpt2",
    "transformers.models.llama.modeling_llama",
    "transformers.models.llama.tokenization_llama",
)


def together(work: Callable[..., Any]) -> Callable[..., None]:
    """A role: join the others, work, and write what came of it as JSON."""

    @wraps(work)
    def role(*, log: str, out: str, store: str, rank: int, size: int, **options: Any) -> None:
        del log
        torch.set_num_threads(1)
        world = join(dist.FileStore(store, size), rank=rank, size=size, device=torch.device("cpu"))
        Path(out).write_text(json.dumps(work(world, **options)))
        dist.destroy_process_group()

    return role


@together
def talk(world: Ranks) -> dict[str, Any]:
    tensors = [torch.full((2, 2), float(world.rank + 1)), torch.arange(3.0) * world.rank]
    world.add_up(tensors)
    world.add_up([])
    copied = torch.full((2,), world.rank)
    world.copy_from_first([copied])
    return {
        "first": world.first,
        "followed": world.follow({"from": world.rank, "text": "ü" * world.size}),
        "nobody": world.told(None),
        "one": world.told("SIGTERM" if world.rank == 1 else None),
        "all": world.told(f"reason {world.rank}"),
        "sums": world.sums((1.0, world.rank, 2.0**-60)),
        "added": [tensor.tolist() for tensor in tensors],
        "copied": copied.tolist(),
    }


@together
def leave(world: Ranks, error: str) -> dict[str, str]:
    """The last process fails alone, or is killed, while the others wait for it."""
    try:
        with world.leaving():
            if world.rank == world.size - 1:
                if error == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                if error == "other":
                    raise StorageFull("no space left on /data", remedy="free some")
                raise ConfigError("layers=9: the model has 3 layers")
            world.sums([1.0])
    except (ReactorError, RuntimeError) as caught:
        return {"type": type(caught).__name__, "message": str(caught)}
    finally:
        dist.destroy_process_group()
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)  # what `together` ends
    return {}


DOCUMENTS = [Document(tuple(range(5, 8 + n)), (False, *[True] * (n + 2)), n) for n in range(9)]


def tiny(kind: str) -> Any:
    model = build_model("gpt2" if kind == "gpt2" else "llama", len(build_tokenizer())).train()
    model.set_attn_implementation(DOCUMENT_ATTENTION)
    if kind == "full":
        return model.requires_grad_(True)
    inject_lora(model, rank=4, alpha=8, seed=3)
    generator = torch.Generator().manual_seed(1)
    for _, module in lora_modules(model):
        module.lora_B.data.normal_(std=0.1, generator=generator)
    return model


@together
def step(world: Ranks, kind: str) -> dict[str, Any]:
    """One step alone, and the same one together; how far apart they are."""
    alone = tiny(kind)
    loss, trained, computed = accumulate(alone, DOCUMENTS, max_tokens=24, share_prefixes=False)
    model = tiny(kind)
    bytes_before = held_bytes(model)
    mine = [value for value in model.parameters() if value.requires_grad] if kind != "full" else []
    share_out(model, kept_whole=mine, device=world.device)
    meter = RankMeter(world, mine)
    shared = accumulate(model, DOCUMENTS, max_tokens=24, share_prefixes=False, meter=meter, among=world.size)
    wanted = {name: value.grad for name, value in alone.named_parameters() if value.grad is not None}
    found = {name: value.grad for name, value in model.named_parameters() if value.grad is not None}
    assert found.keys() == wanted.keys()
    whole_ones = whole(found, keep=True)
    apart = max(float((whole_ones[name] - wanted[name]).abs().max() / wanted[name].abs().max()) for name in wanted)
    return {
        "loss": abs(shared[0] - loss) / loss,
        "tokens": [shared[1] - trained, shared[2] - computed],
        "gradients": apart,
        "shared_out": [is_shared_out(alone), is_shared_out(model)],
        "bytes": [bytes_before, held_bytes(model)],
        "nothing": whole(found, keep=False),
        "gradient": whole_ones[min(whole_ones)].flatten()[:4].tolist(),
        "tail": float(accumulate(model, DOCUMENTS[:1], max_tokens=24, share_prefixes=False, meter=meter)[0]),
        "tail_alone": float(accumulate(alone, DOCUMENTS[:1], max_tokens=24, share_prefixes=False)[0]),
        "positions": len(pack(DOCUMENTS).input_ids),
    }


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@together
def train(
    world: Ranks, *, workspace: str, cache: str, rows: str, options: dict[str, Any], say: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A whole run; ``say`` is what happens after a step of it."""
    settings = Settings(workspace=Path(workspace), cache_dir=Path(cache))
    pids = [int(pid) for pid in world.sums([os.getpid() if rank == world.rank else 0 for rank in range(world.size)])]
    hooks = [] if say is None else [Say(pids, Path(workspace), **say)]
    trainer = Trainer(TrainingConfig(**options), hooks=hooks, settings=settings)
    try:
        with warnings.catch_warnings(record=True) as warned:
            result = trainer.train(rows)
    except (ReactorError, RuntimeError) as error:  # the latter: another process was killed
        return {"error": type(error).__name__, "message": str(error)}
    card = json.loads(result.card_path.read_text())
    return {
        "sha256": {file.name: sha256(file) for file in result.adapter_dir.glob("*.safetensors")},
        "losses": [row["loss"] for row in read_log(result.loss_path)],
        "steps": result.steps,
        "stopped": result.stopped,
        "computed": result.tokens_computed,
        "resumed_from": result.resumed_from,
        "eval_loss": result.eval_loss,
        "best_step": result.best_step,
        "certified": result.certified,
        "processes": card["processes"],
        "path": card["path"],
        "warned": [str(warning.message) for warning in warned],
        "folder": str(result.adapter_dir),
    }


class Say(TrainingHook):
    """After a step, do something that one process sees before the others."""

    def __init__(self, pids: list[int], workspace: Path, *, step: int, what: str, rank: int = 0) -> None:
        self._pid, self._workspace = pids[rank], workspace
        self._step, self._what, self._stop = step, what, False

    def on_step(self, step: StepInfo) -> None:
        if step.step != self._step:
            return
        if self._what == "stop":
            self._stop = True
        elif self._what == "halt":
            Latch(self._workspace).trip(reason="a drill")
        else:
            os.kill(self._pid, getattr(signal, self._what))

    def should_stop(self) -> str | None:
        return "enough" if self._stop else None
