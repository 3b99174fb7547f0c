"""What a process that makes clips does; it is killed at any moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.faults.harness.history import Log, Record

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.providers.http_v2 import HTTPProviderV2
from a1_reactor.providers.wire import Wire
from a1_reactor.types import JobSpec

PRELOAD = ("tests.faults.harness.makers",)


def engine_of(workspace: Path, address: str) -> ReactorEngine:
    """Asks the server at an address for its frames."""
    wire = Wire(f"http://{address}/frames", allow=[address], attempts=1)
    return ReactorEngine(ReactorConfig(workspace=workspace), HTTPProviderV2(wire))


def maker(log: str, *, workspace: str, address: str, spec: dict[str, Any], parent: str | None) -> None:
    """Make one clip, or windows of one.

    Args:
        log: Gets a line when the clip is there.
    """
    engine, asked = engine_of(Path(workspace), address), JobSpec.parse(spec)
    result = engine.generate(asked) if parent is None else engine.regen(asked, parent=engine.store.open(parent))
    Log(Path(log)).write(Record("made", result.clip.key, "; ".join(result.notes), 0, 0, 0))
