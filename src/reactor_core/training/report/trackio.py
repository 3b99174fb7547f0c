"""trackio: a SQLite file per project, in the workspace unless its own variable says otherwise."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from reactor_core.errors import StorageError
from reactor_core.training.report.points import Point
from reactor_core.training.report.sink import Ending, Target
from reactor_core.utils.extras import require

__all__ = ["TrackioSink"]

_FEATURE = "report_to='trackio'"
_SECONDS = 10.0
"""trackio writes on a thread, twice a second, and keeps failures to itself: so what it has written is read back."""


class TrackioSink:
    """Metrics, configuration, and the card as Markdown.

    The store itself says which steps it has, so none is told twice. Steps that are trained again after a kill keep
    their first values there.

    Args:
        target: The run. The folder is trackio's own variable, ``TRACKIO_DIR``, which the worker is started with.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._trackio = require("trackio", feature=_FEATURE, extra="trackio")
        self._store = require("trackio.sqlite_storage", feature=_FEATURE, extra="trackio").SQLiteStorage
        self._run: Any = None
        self._step = 0

    @property
    def where(self) -> str:
        """Folder and project, for ``trackio show``."""
        return f"{self._trackio.utils.TRACKIO_DIR} project {self._target.project}"

    def open(self) -> int:
        """Begin the run, or go on with that of the same name."""
        target = self._target
        self._run = self._trackio.init(
            project=target.project,
            name=target.run_id,
            config={**target.facts, "folder": str(target.folder)},
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        self._step = self._stored()
        return self._step

    def write(self, points: Sequence[Point]) -> None:
        """Log each point at its step."""
        for point in points:
            self._run.log(point.values, step=point.step)
            self._step = point.step

    def flush(self) -> int:
        """Wait until the store has them.

        Raises:
            StorageError: It has not after ten seconds.
        """
        until = time.monotonic() + _SECONDS
        while (stored := self._stored()) < self._step:
            if time.monotonic() > until:
                raise StorageError(f"trackio has stored step {stored} of {self._step}")
            time.sleep(0.1)
        return self._step

    def finish(self, ending: Ending) -> None:
        """Log the card, and wait until everything is stored."""
        if ending.card:
            text = json.dumps(ending.card, indent=2, sort_keys=True)
            self._run.log({"card": self._trackio.Markdown(f"```json\n{text}\n```")}, step=self._step)
        self._run.finish()

    def state(self) -> dict[str, Any]:
        """The last step."""
        return {"step": self._step}

    def _stored(self) -> int:
        return int(self._store.get_max_step_for_run(self._target.project, self._target.run_id) or 0)
