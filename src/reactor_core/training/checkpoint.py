"""Checkpoints that are whole or not there, and prove it when they are read.

A checkpoint is a folder of safetensors and JSON with a manifest of hashes. It is written beside its place and renamed
when everything, manifest last, is on disk. The newest one that verifies is used.
"""

from __future__ import annotations

import json
import platform
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from reactor_core.errors import CheckpointInvalid
from reactor_core.training.mark import Mark
from reactor_core.training.partial import Partial
from reactor_core.training.snapshot import Snapshot
from reactor_core.training.tensors import write_tensors
from reactor_core.utils.failpoints import reach
from reactor_core.utils.files import atomic_dir, atomic_write, put_back_replaced, sha256_file, sweep_unfinished

__all__ = [
    "Progress",
    "latest_checkpoint",
    "machine_fingerprint",
    "read_beside",
    "read_partial",
    "restore",
    "save_checkpoint",
]

_MANIFEST = "manifest.json"
_STATE = "state.json"
_PARTIAL = "partial.safetensors"
_BESIDE = "beside.safetensors"
_CPUINFO = Path("/proc/cpuinfo")


@dataclass
class Progress:
    """How far a run is; everything beside tensors that the next step depends on.

    Attributes:
        step: Optimizer steps that are done. Rows and dropout of the next step follow from it.
        tokens: Tokens of the rows trained so far, shared beginnings counted for every row.
        tokens_computed: Tokens that went through the model.
        rows: Rows trained so far.
        elapsed: Seconds of training.
        last_step_seconds: Wall time of the last step.
        first_loss: Loss of the first step, in nats a token.
        last_loss: Loss of the last step.
        best_loss: Lowest loss on the held-out rows; None before the first measurement.
        best_step: Step at which that was; 0 for none.
        measured_since_best: Measurements since then.
        measured_step: Step of the last measurement that these values know of; None in checkpoints that were made
            before it was kept.
        elsewhere: How often the run went on on a machine that computes differently.
        saves: Checkpoints, but for those on a notice.
        save_seconds: Seconds that training stood still for them.
    """

    step: int = 0
    tokens: int = 0
    tokens_computed: int = 0
    rows: int = 0
    elapsed: float = 0.0
    last_step_seconds: float = 0.0
    first_loss: float | None = None
    last_loss: float | None = None
    best_loss: float | None = None
    best_step: int = 0
    measured_since_best: int = 0
    measured_step: int | None = 0
    elsewhere: int = 0
    saves: int = 0
    save_seconds: float = 0.0


def machine_fingerprint(device: torch.device | str = "cpu") -> dict[str, str]:
    """What the bits of a result depend on beside the run itself: processor or GPU, torch build, number of threads."""
    device = torch.device(device)
    found = {
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
    }
    if device.type == "cuda":
        found["device"] = torch.cuda.get_device_name(device)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        found |= {"processes": str(size)} if (size := torch.distributed.get_world_size()) > 1 else {}
    return found


def _processor() -> str:
    lines = _CPUINFO.read_text(encoding="utf-8").splitlines() if _CPUINFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def save_checkpoint(
    folder: Path,
    snapshot: Snapshot,
    *,
    progress: Progress,
    identity: dict[str, str],
    keep: int = 2,
    beside: Mapping[str, torch.Tensor] | None = None,
) -> Path:
    """Write ``step-<n>`` into ``folder`` and remove all but the newest ones.

    In the middle of a step it is ``step-<n>-<parts>``, with the gradients of the parts that are done.

    Args:
        folder: The run's ``checkpoints``.
        snapshot: The tensors of the run; nothing may change them meanwhile.
        progress: How far the run is.
        identity: Hashes of configuration, dataset and base model that a resume must meet.
        keep: How many checkpoints are kept, this one included.
        beside: What else the run would have to compute again, such as answers of the reference; on the CPU.

    Raises:
        StorageFull: No space is left; earlier checkpoints are as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sweep_unfinished(folder)
    place = folder / Mark(progress.step, 0 if snapshot.partial is None else snapshot.partial["turns"]).name
    with atomic_dir(place) as temporary:
        _save(snapshot.trained, temporary / "trained.safetensors")
        _save(snapshot.moments, temporary / "optimizer.safetensors")
        state: dict[str, Any] = {
            "progress": asdict(progress),
            "identity": identity,
            "machine": machine_fingerprint(snapshot.device),
        }
        if snapshot.partial is not None:
            _save(snapshot.half, temporary / _PARTIAL)
            state["partial"] = dict(snapshot.partial)
        if beside:
            _save(beside, temporary / _BESIDE)
        atomic_write(temporary / _STATE, json.dumps(state))
        reach("checkpoint.written")
        hashes = {file.name: sha256_file(file) for file in sorted(temporary.iterdir())}
        atomic_write(temporary / _MANIFEST, json.dumps(hashes, indent=2))
    reach("checkpoint.renamed")
    for old in sorted(folder.glob("step-*"), key=Mark.of)[:-keep]:
        shutil.rmtree(old)
    return place


def _save(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    # safetensors refuses tensors that share memory, such as tied embeddings; each is written on its own.
    seen: dict[int, str] = {}
    here = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    unique = {name: value for name, value in here.items() if seen.setdefault(value.data_ptr(), name) == name}
    write_tensors(unique, path)


def _fault(checkpoint: Path) -> str | None:
    """What is wrong with a checkpoint, or None."""
    try:
        manifest = json.loads((checkpoint / _MANIFEST).read_text(encoding="utf-8"))
        for name, digest in manifest.items():
            if sha256_file(checkpoint / name) != digest:
                return f"{name} does not match its hash"
    except (OSError, ValueError) as error:
        return str(error)
    return None


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that verifies; None where there is none at all.

    A damaged one is passed over with a warning. One that was being replaced when its process was killed is put back;
    so the run's lock has to be held.

    Raises:
        CheckpointInvalid: There are checkpoints, and not one verifies.
    """
    put_back_replaced(folder)
    found = sorted(folder.glob("step-*"), key=Mark.of, reverse=True)
    for checkpoint in found:
        fault = _fault(checkpoint)
        if fault is None:
            return checkpoint
        warnings.warn(f"checkpoint {checkpoint} is damaged ({fault}); trying the one before it", stacklevel=2)
    if found:
        raise CheckpointInvalid(f"no checkpoint in {folder} is intact", remedy="train with resume=False to start over")
    return None


def restore(
    checkpoint: Path,
    *,
    parameters: dict[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    identity: dict[str, str],
) -> Progress:
    """Put a checkpoint's tensors into parameters and optimizer, in place.

    A checkpoint of a machine that computes differently is used with a warning: the data and their order are the same,
    losses agree to rounding, and the last bits do not.

    Raises:
        CheckpointInvalid: It belongs to another configuration, dataset or base model, or its tensors do not fit.
    """
    state = _state(checkpoint)
    changed = [name for name, value in identity.items() if state["identity"].get(name) != value]
    if changed:
        raise CheckpointInvalid(
            f"{checkpoint} was made with another {' and '.join(changed)}",
            remedy="restore what it was, or train with resume=False to start over",
        )
    trained = load_file(str(checkpoint / "trained.safetensors"))
    moments = load_file(str(checkpoint / "optimizer.safetensors"))
    if trained.keys() != parameters.keys():
        raise CheckpointInvalid(f"{checkpoint} holds other tensors than this model trains")
    keys = ("step", "exp_avg", "exp_avg_sq")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(trained[name])
            optimizer.state[parameter] = {
                # AdamW keeps its step count beside the tensors; the moments live where the parameter does.
                key: moments[f"{name}.{key}"].to("cpu" if key == "step" else parameter.device)
                for key in keys
                if f"{name}.{key}" in moments
            }
    progress = Progress(**{"measured_step": None, **state["progress"]})
    here = machine_fingerprint(next((parameter.device for parameter in parameters.values()), "cpu"))
    before = state.get("machine", here)
    if before != here:
        names = [*before, *(name for name in here if name not in before)]
        pairs = ((name, before.get(name), here.get(name)) for name in names)
        apart = [f"{name} {old} -> {new}" for name, old, new in pairs if old != new]
        warnings.warn(
            f"{checkpoint.name} was made on another machine ({', '.join(apart)}): the run goes on with the same rows "
            "in the same order and losses equal to rounding (about 1e-4), not bit for bit",
            stacklevel=2,
        )
        progress.elsewhere += 1
    return progress


def read_partial(checkpoint: Path, parameters: Mapping[str, torch.Tensor]) -> Partial | None:
    """What a checkpoint holds of a step that has begun; None if it was made between two steps.

    Raises:
        CheckpointInvalid: Its gradients do not fit these trained tensors.
    """
    facts = _state(checkpoint).get("partial")
    return None if facts is None else Partial.read(facts, load_file(str(checkpoint / _PARTIAL)), parameters)


def read_beside(checkpoint: Path) -> dict[str, torch.Tensor]:
    """What :func:`save_checkpoint` was given ``beside`` the state; empty for nothing."""
    return load_file(str(checkpoint / _BESIDE)) if (checkpoint / _BESIDE).exists() else {}


def _state(checkpoint: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    return state
