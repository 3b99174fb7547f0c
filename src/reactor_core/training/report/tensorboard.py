"""TensorBoard: event files below the run, written record by record.

Neither torch nor TensorFlow is imported for it: an event file is a row of protocol buffers, each with a checksum.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from reactor_core.training.report.points import Point
from reactor_core.training.report.sink import Ending, Target
from reactor_core.utils.extras import require
from reactor_core.utils.ids import new_id

__all__ = ["TensorBoardSink"]

_FEATURE = "report_to='tensorboard'"


class TensorBoardSink:
    """Scalars, and configuration and card as text.

    A session begins with a mark that makes TensorBoard forget what earlier sessions wrote from that step on, so steps
    that are trained again after a kill show their new values.

    Args:
        target: The run; events go to ``<run>/tensorboard`` unless it names a place.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._folder = target.folder / "tensorboard"
        self._events = require("tensorboard.compat.proto.event_pb2", feature=_FEATURE, extra="report")
        self._summaries = require("tensorboard.compat.proto.summary_pb2", feature=_FEATURE, extra="report")
        self._tensors = require("tensorboard.compat.proto.tensor_pb2", feature=_FEATURE, extra="report")
        self._records = require("tensorboard.summary.writer.record_writer", feature=_FEATURE, extra="report")
        self._step = 0
        self._writer: Any = None

    @property
    def where(self) -> str:
        """The folder, for ``tensorboard --logdir``."""
        return str(self._folder)

    def open(self) -> int:
        """Start an event file of its own for this session."""
        # What the last session wrote, but no step that is trained again: those get their new values.
        self._step = min(int(self._target.before.get("step", 0)), self._target.resumed_at)
        self._folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads the files of a folder in the order of their names.
        name = f"events.out.tfevents.{int(time.time()):010d}.{new_id()}"
        self._writer = self._records.RecordWriter((self._folder / name).open("xb"))
        self._put(file_version="brain.Event:2")
        session = self._events.SessionLog(status=self._events.SessionLog.START)
        self._put(session_log=session, step=self._step + 1)
        if self._step == 0:
            self._put(summary=self._text("run", self._target.facts), step=1)
        return self._step

    def write(self, points: Sequence[Point]) -> None:
        """One event a point."""
        for point in points:
            scalars = [self._summaries.Summary.Value(tag=k, simple_value=v) for k, v in point.values.items()]
            self._put(summary=self._summaries.Summary(value=scalars), step=point.step)
            self._step = point.step

    def flush(self) -> int:
        """Hand the events to the operating system."""
        self._writer.flush()
        return self._step

    def finish(self, ending: Ending) -> None:
        """Write the card, and close the file."""
        if ending.card:
            self._put(summary=self._text("card", ending.card), step=self._step)
        self._writer.close()

    def state(self) -> dict[str, Any]:
        """The last step."""
        return {"step": self._step}

    def _put(self, **fields: Any) -> None:
        self._writer.write(self._events.Event(wall_time=time.time(), **fields).SerializeToString())

    def _text(self, tag: str, value: dict[str, Any]) -> Any:
        """JSON for the text plugin, which shows Markdown: four spaces make it a block."""
        block = "".join(f"    {line}\n" for line in json.dumps(value, indent=2, sort_keys=True).splitlines())
        plugin = self._summaries.SummaryMetadata.PluginData(plugin_name="text")
        tensor = self._tensors.TensorProto(dtype="DT_STRING", string_val=[block.encode()])
        tensor.tensor_shape.dim.add(size=1)
        one = self._summaries.Summary.Value(
            tag=tag, metadata=self._summaries.SummaryMetadata(plugin_data=plugin), tensor=tensor
        )
        return self._summaries.Summary(value=[one])
