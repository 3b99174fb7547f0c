"""The loss curve: one JSON object a step, and a picture at the end."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reactor_core.training.hooks import StepInfo
from reactor_core.utils.files import atomic_write, storage_errors

__all__ = ["LossLog", "plot_curves", "read_log"]


class LossLog:
    """Appends steps to a JSON Lines file.

    Args:
        path: The file.
        keep_steps: Lines of later steps are removed first: a killed run may have written some after its last
            checkpoint, and will train those steps again.
    """

    def __init__(self, path: Path, *, keep_steps: int) -> None:
        self.path = path
        kept = [line for line in read_log(path) if line["step"] <= keep_steps] if path.exists() else []
        atomic_write(path, "".join(json.dumps(line) + "\n" for line in kept))

    def append(self, step: StepInfo) -> None:
        """Write one step.

        Raises:
            StorageFull: No space is left.
        """
        with storage_errors(self.path), self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(step)) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The steps of a loss log; a last line that was cut off is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def plot_curves(
    log: Path, picture: Path, *, title: str, loss_label: str = "nats per completion token", held_out: Path | None = None
) -> None:
    """Draw loss and learning rate over the steps as PNG.

    Args:
        log: The run's loss log.
        picture: The file.
        title: Above the picture.
        loss_label: What the loss is measured in.
        held_out: Log of the measurements on held-out rows, or None.

    Raises:
        StorageFull: No space is left.
    """
    # Figure and canvas by hand: pyplot keeps global state and picks a window system.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = read_log(log)
    steps, losses = [row["step"] for row in rows], [row["loss"] for row in rows]
    smooth: list[float] = []
    for loss in losses:
        smooth.append(loss if not smooth else 0.9 * smooth[-1] + 0.1 * loss)
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    left = figure.add_subplot()
    left.plot(steps, losses, ".", color="#9ab", markersize=4, label="loss")
    left.plot(steps, smooth, color="#135", label="smoothed")
    heights: list[float] = []
    if held_out is not None:
        measured = read_log(held_out)
        places, heights = [row["step"] for row in measured], [row["loss"] for row in measured]
        left.plot(places, heights, "o-", color="#283", markersize=4, label="held-out rows")
    left.set(xlabel="step", ylabel=f"loss ({loss_label})", title=title)
    if min([*losses, *heights], default=0.0) >= 0:  # some preference losses go below
        left.set_ylim(bottom=0)
    right = left.twinx()
    right.plot(steps, [row["learning_rate"] for row in rows], color="#c63", linewidth=1, label="learning rate")
    right.ticklabel_format(axis="y", scilimits=(0, 0))
    right.set_ylabel("learning rate", color="#c63")
    right.set_ylim(bottom=0)
    lines = [line for axes in (left, right) for line in axes.get_lines()]
    left.legend(lines, [str(line.get_label()) for line in lines], loc="upper right")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    atomic_write(picture, buffer.getvalue())
