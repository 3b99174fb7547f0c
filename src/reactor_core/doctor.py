"""What machine this is, what is installed, what is missing and how to mend it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from reactor_core.plugins import GROUP
from reactor_core.utils.environment import GIB, Environment, Mode
from reactor_core.utils.environment_memory import probe_memory
from reactor_core.utils.extras import installed
from reactor_core.utils.settings import Settings

__all__ = ["Check", "Report", "Status", "examine"]

_EXTRAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "train": (
        "fine-tuning, evaluation, chat",
        ("torch", "transformers", "peft", "safetensors", "tokenizers", "gguf", "huggingface_hub", "matplotlib"),
    ),
    "media": ("faster frame files, optical flow", ("isal", "cv2")),
    "gcp": ("Google Cloud Storage, Cloud SQL", ("google.cloud.storage", "google.cloud.sql.connector")),
}
_SQLITE_FLOOR = (3, 51, 3)
"""Older versions can corrupt a WAL that two connections checkpoint at once (sqlite.org, release 3.51.3)."""
_DISK_FLOOR = 2 * GIB
"""Model download, conversion and one run of the main job, rounded up."""
_MEMORY_FLOOR = 4 * GIB
"""Fine-tuning the 135M model in fp32 peaks near 3 GiB."""


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """Something optional is absent or unusual; the rest works."""
    FAIL = "fail"
    """Something that everything needs is missing."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One finding."""

    name: str
    status: Status
    detail: str
    remedy: str | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """The verdict on a machine and an installation."""

    environment: Environment
    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing that everything needs is missing."""
        return all(check.status is not Status.FAIL for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "healthy": self.healthy,
            "environment": asdict(self.environment),
            "checks": [asdict(check) for check in self.checks],
        }


def examine(environment: Environment, settings: Settings, *, plugins: Iterable[str]) -> Report:
    """Check an installation on a machine.

    Args:
        environment: What :func:`~reactor_core.utils.environment.detect_environment` said.
        settings: Where the workspace and the cache are.
        plugins: Names found in the entry-point group ``reactor.plugins``.
    """
    return Report(
        environment=environment,
        checks=(
            _python(),
            _memory(environment),
            *(_extra(name) for name in _EXTRAS),
            _sqlite(),
            _folder("workspace", settings.workspace),
            _folder("model cache", settings.cache_dir),
            _plugins(tuple(plugins)),
            _switches(settings),
            _latch(settings),
        ),
    )


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        return Check(name="python", status=Status.OK, detail=f"{found} at {sys.executable}")
    return Check(
        name="python", status=Status.WARN, detail=f"{found}: tested are 3.11 to 3.14", remedy="use one of those"
    )


def _memory(environment: Environment) -> Check:
    probes = environment.probes
    room = probe_memory()
    detail = f"{probes.memory_bytes / GIB:.1f} GiB, {probes.usable_cpus} processors; {room.reason}"
    if environment.mode is not Mode.INFERENCE_ONLY and probes.memory_bytes < _MEMORY_FLOOR:
        remedy = (
            f"fine-tuning the demo's model wants {_MEMORY_FLOOR // GIB} GiB: close programs or use a larger machine; "
            "what a run takes here: reactor train FILE --plan"
        )
        return Check(name="memory", status=Status.WARN, detail=detail, remedy=remedy)
    return Check(name="memory", status=Status.OK, detail=detail)


def _extra(name: str) -> Check:
    purpose, modules = _EXTRAS[name]
    absent = [module for module in modules if not installed(module)]
    if absent:
        return Check(
            name=f"extra [{name}]",
            status=Status.WARN,
            detail=f"{purpose}: not installed: {', '.join(absent)}",
            remedy=f"pip install 'reactor-core[{name}]'",
        )
    return Check(name=f"extra [{name}]", status=Status.OK, detail=f"{purpose}: {_versions(modules)}")


def _versions(modules: tuple[str, ...]) -> str:
    names = {
        "cv2": "opencv-python-headless",
        "google.cloud.storage": "google-cloud-storage",
        "google.cloud.sql.connector": "cloud-sql-python-connector",
    }
    found = []
    for module in modules:
        try:
            found.append(f"{module} {version(names.get(module, module))}")
        except PackageNotFoundError:  # importable from a path, without metadata
            found.append(module)
    return ", ".join(found)


def _sqlite() -> Check:
    import apsw

    found = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    text = f"SQLite {apsw.sqlite_lib_version()} inside apsw"
    if found >= _SQLITE_FLOOR:
        return Check(name="journal", status=Status.OK, detail=text)
    return Check(
        name="journal",
        status=Status.FAIL,
        detail=f"{text} has the WAL-reset bug",
        remedy="pip install --upgrade 'apsw>=3.51.3'",
    )


def _folder(name: str, path: Path) -> Check:
    existing = path if path.exists() else next(parent for parent in path.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Check(
            name=name,
            status=Status.FAIL,
            detail=f"{path} cannot be written: {error.strerror}",
            remedy="choose another folder: REACTOR_WORKSPACE, REACTOR_CACHE_DIR",
        )
    free = shutil.disk_usage(existing).free
    detail = f"{path.absolute()}, {free / GIB:.1f} GiB free"
    if free < _DISK_FLOOR:
        remedy = f"the main job wants {_DISK_FLOOR // GIB} GiB"
        return Check(name=name, status=Status.WARN, detail=detail, remedy=remedy)
    return Check(name=name, status=Status.OK, detail=detail)


def _plugins(names: tuple[str, ...]) -> Check:
    if names:
        return Check(name="plugins", status=Status.OK, detail=", ".join(sorted(names)))
    return Check(
        name="plugins",
        status=Status.WARN,
        detail=f"none in the entry-point group {GROUP}",
        remedy="reinstall: pip install --force-reinstall --no-deps reactor-core",
    )


def _switches(settings: Settings) -> Check:
    off = [
        name
        for name, enabled in (
            ("SAFETY_AUDIT_ENABLED", settings.safety_audit_enabled),
            ("KILL_SWITCH_ENABLED", settings.kill_switch_enabled),
        )
        if not enabled
    ]
    if off:
        return Check(name="safety", status=Status.WARN, detail=f"switched off: {', '.join(off)}", remedy="unset them")
    return Check(name="safety", status=Status.OK, detail="no safety setting is switched off")


def _latch(settings: Settings) -> Check:
    from reactor_core.events.latch import Latch

    state = Latch(settings.workspace).state()
    if state.tripped:
        return Check(
            name="kill switch",
            status=Status.WARN,
            detail=f"tripped since {state.at or 'an unknown time'}, epoch {state.tripped_epoch}: {state.reason}",
            remedy=f"see what happened: REACTOR_WORKSPACE={settings.workspace} reactor events query",
        )
    return Check(name="kill switch", status=Status.OK, detail="not tripped")
