"""Pictures of comparisons."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from reactor_core.eval.measurement import Measurement
from reactor_core.eval.promotion import Comparison

__all__ = ["plot_decision"]

_CANDIDATE, _OTHER, _BETTER, _NOT = "#135", "#9ab", "#283", "#c63"


def plot_decision(measurements: Mapping[str, Measurement], comparisons: Sequence[Comparison]) -> bytes:
    """Draw values and gains with their intervals, as PNG.

    Args:
        measurements: Name of the model -> its measurement, the candidate first; one line each on the left.
        comparisons: One line each on the right; a gain right of 0 is an improvement.

    Raises:
        ValueError: There are no measurements or no comparisons.
    """
    if not measurements or not comparisons:
        raise ValueError("nothing to draw: give at least one measurement and one comparison")
    # Figure and canvas by hand: pyplot keeps global state and picks a window system.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = max(len(measurements), len(comparisons))
    figure = Figure(figsize=(9.5, 1.5 + 0.5 * count), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    first = next(iter(measurements.values()))
    colours = [_CANDIDATE] + [_OTHER] * (len(measurements) - 1)
    intervals = [measured.estimate for measured in measurements.values()]
    _draw_lines(left, list(measurements), [(i.mean, i.low, i.high) for i in intervals], colours)
    if first.metric.baseline is not None:
        left.axvline(first.metric.baseline, color="#bbb", linewidth=1, linestyle=":")
    better = "higher" if first.metric.higher_is_better else "lower"
    left.set(xlabel=f"{first.metric.unit} ({better} is better)", title=first.metric.name)
    tests = [comparison.test for comparison in comparisons]
    names = [f"{comparison.baseline}\np = {comparison.test.p_value:.2g}" for comparison in comparisons]
    colours = [_BETTER if comparison.better else _NOT for comparison in comparisons]
    _draw_lines(right, names, [(t.gain.mean, t.gain.low, t.gain.high) for t in tests], colours)
    right.axvline(0.0, color="#555", linewidth=1)
    right.set(xlabel=f"gain of the candidate ({first.metric.unit})", title="gain over each baseline")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _draw_lines(
    axes: Any, names: Sequence[str], values: Sequence[tuple[float, float, float]], colours: Sequence[str]
) -> None:
    """One horizontal line a name, from low to high with a dot at the mean, the first on top."""
    for place, ((mean, low, high), colour) in enumerate(zip(values, colours, strict=True)):
        axes.plot([low, high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot([mean], [place], "o", color=colour, markersize=6)
        axes.annotate(f"{mean:.3f}", (mean, place), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
