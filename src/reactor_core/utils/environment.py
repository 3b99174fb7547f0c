"""What machine this is, what it can do, and why we say so.

Detection is a pure function of :class:`Probes`; only :func:`probe_machine` looks at the machine.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reactor_core.utils.environment_memory import probe_memory
from reactor_core.utils.extras import installed, require

__all__ = ["Environment", "Kind", "Mode", "Probes", "detect_environment", "probe_machine"]

GIB = 2**30
_DMI_PRODUCT = Path("/sys/class/dmi/id/product_name")
_GCE_PRODUCT = "Google Compute Engine"
"""Content of the DMI product name on every Compute Engine machine (Google's documented way to recognise one)."""
_SMALL_APPLE_BYTES = 16 * GIB
"""The seed's border: an Apple machine with 16 GB is for inference."""
_SMALL_BYTES = 8 * GIB
"""Fine-tuning the 135M model takes 1.5 to 3 GiB beside the system and other programs; below this it is worth asking."""


class Kind(StrEnum):
    """The families of machines that behave differently."""

    APPLE_SILICON = "apple-silicon"
    GCE = "gce"
    CUDA = "cuda"
    CPU = "cpu"


class Mode(StrEnum):
    """What a machine is used for unless the user says otherwise."""

    INFERENCE_ONLY = "inference-only"
    """Training is refused unless the user insists."""
    PLANNED_TRAINING = "planned-training"
    """Training after a plan: each run's peak memory is estimated before it begins."""
    FULL_TRAINING = "full-training"
    """Training as asked; the peak memory is estimated where it might not fit."""


@dataclass(frozen=True, kw_only=True)
class Probes:
    """Facts about a machine, gathered once."""

    system: str
    """``platform.system()``: Linux, Darwin, Windows."""
    machine: str
    """``platform.machine()``: x86_64, arm64, aarch64."""
    memory_bytes: int
    """Physical memory, or the control group's limit where that is lower."""
    usable_cpus: int
    """Processors this process may use."""
    dmi_product: str | None = None
    """Product name in the firmware tables, None where there is none to read."""
    cuda_devices: tuple[str, ...] = ()
    """Names of the usable CUDA devices."""
    torch_version: str | None = None
    """None where torch is not installed."""
    python_version: str = platform.python_version()


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A verdict and its reasons."""

    kind: Kind
    mode: Mode
    device: str
    """torch device to compute on: ``cuda``, ``mps`` or ``cpu``."""
    quantized: bool
    """Whether models are loaded quantised by default."""
    reasons: tuple[str, ...]
    """One sentence for each choice above."""
    probes: Probes


def detect_environment(probes: Probes) -> Environment:
    """Say what a machine with these facts is for.

    The order of the questions matters: Apple silicon first (it has no CUDA), then a Google Compute Engine machine
    (with or without CUDA), then CUDA, then plain CPU.
    """
    memory = f"{probes.memory_bytes / GIB:.1f} GiB of memory"
    device = "cuda" if probes.cuda_devices else "cpu"
    device_reason = (
        f"device {device}: torch sees {', '.join(probes.cuda_devices)}"
        if probes.cuda_devices
        else f"device cpu: no CUDA device is visible, {probes.usable_cpus} processors are"
    )
    if probes.system == "Darwin" and probes.machine == "arm64":
        small = probes.memory_bytes <= _SMALL_APPLE_BYTES
        return Environment(
            kind=Kind.APPLE_SILICON,
            mode=Mode.INFERENCE_ONLY if small else Mode.FULL_TRAINING,
            device="mps",
            quantized=small,
            reasons=(
                "apple-silicon: the system is Darwin on arm64",
                f"{'inference-only, quantized' if small else 'full-training'}: {memory}, "
                f"{'at most' if small else 'more than'} {_SMALL_APPLE_BYTES // GIB} GiB",
                "device mps: Apple silicon computes through Metal",
            ),
            probes=probes,
        )
    mode = Mode.FULL_TRAINING
    if probes.memory_bytes < _SMALL_BYTES and not probes.cuda_devices:
        mode = Mode.PLANNED_TRAINING
        memory += f", less than {_SMALL_BYTES // GIB} GiB: a run is planned before it begins"
    if probes.dmi_product == _GCE_PRODUCT:
        return Environment(
            kind=Kind.GCE,
            mode=mode,
            device=device,
            quantized=False,
            reasons=(
                f"gce: the firmware's product name is {_GCE_PRODUCT!r}",
                f"{mode}: a cloud machine with {memory}",
                device_reason,
            ),
            probes=probes,
        )
    kind = Kind.CUDA if probes.cuda_devices else Kind.CPU
    return Environment(
        kind=kind,
        mode=mode,
        device=device,
        quantized=False,
        reasons=(
            f"{kind}: not Apple silicon, and the firmware names no Compute Engine machine",
            f"{mode}: {memory}",
            device_reason,
        ),
        probes=probes,
    )


def probe_machine(*, cuda: Callable[[], tuple[str, ...]] | None = None) -> Probes:
    """Look at this machine.

    Args:
        cuda: Names the CUDA devices; None asks torch where it is installed.
    """
    torch_version: str | None = None
    if installed("torch"):
        torch = require("torch", feature="probing CUDA", extra="train")
        torch_version = str(torch.__version__)
        if cuda is None and torch.cuda.is_available():
            names = tuple(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
            cuda = lambda: names  # noqa: E731
    return Probes(
        system=platform.system(),
        machine=platform.machine(),
        memory_bytes=probe_memory().total,
        usable_cpus=len(os.sched_getaffinity(0)) if sys.platform == "linux" else (os.cpu_count() or 1),
        dmi_product=_DMI_PRODUCT.read_text().strip() if _DMI_PRODUCT.is_file() else None,
        cuda_devices=cuda() if cuda is not None else (),
        torch_version=torch_version,
    )
