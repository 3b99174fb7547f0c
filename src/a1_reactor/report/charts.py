"""Curves as inline SVG, drawn with classes and attributes only: no script, no style that a strict policy forbids."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Series", "curve_chart", "peaks"]

_WIDTH, _HEIGHT = 960, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 12, 30
_POINTS = 480
"""Points that are drawn: two pixels each."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line."""

    name: str
    """What the legend calls it."""
    kind: str
    """CSS class: ``now`` or ``old``."""
    x: Sequence[float]
    y: Sequence[float]


def peaks(x: Sequence[float], y: Sequence[float], points: int = _POINTS) -> tuple[list[float], list[float]]:
    """At most ``points`` points, each the highest of its stretch: a single bad frame of a long clip stays visible."""
    values: NDArray[np.float64] = np.asarray(y, np.float64)
    if len(values) <= points:
        return list(x), values.tolist()
    edges = np.linspace(0, len(values), points + 1).astype(int)
    chosen = [int(start + values[start:stop].argmax()) for start, stop in pairwise(edges)]
    return [x[index] for index in chosen], values[chosen].tolist()


def curve_chart(
    title: str,
    series: Sequence[Series],
    *,
    unit: str,
    x_name: str,
    goal: float | None = None,
    from_zero: bool = True,
    shaded: Sequence[tuple[float, float]] = (),
    marks: Sequence[tuple[float, str]] = (),
) -> str:
    """A figure with its legend.

    Args:
        title: What is shown; also what a screen reader says first.
        series: Lines, drawn in order, so that the last lies on top.
        unit: Of the vertical axis.
        x_name: What the horizontal axis counts.
        goal: A dashed line that values should stay under.
        from_zero: Whether the vertical axis begins at 0, or near the lowest value.
        shaded: Stretches of the horizontal axis to shade, such as windows.
        marks: Places with a word, such as joins.
    """
    lines = [(one, *peaks(one.x, one.y)) for one in series if len(one.y)]
    every_x = [value for _, x, _ in lines for value in x] or [0.0, 1.0]
    every_y = [value for _, _, y in lines for value in y] or [0.0]
    low_x, high_x = min(every_x), max(every_x)
    ticks = _ticks(0.0 if from_zero else min(every_y), max([*every_y, goal or 0.0]))
    low, top = ticks[0], ticks[-1]

    def at_x(value: float) -> float:
        return _LEFT + (value - low_x) / max(high_x - low_x, 1e-9) * (_WIDTH - _LEFT - _RIGHT)

    def at_y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (top - low) * (_HEIGHT - _TOP - _BOTTOM)

    said = "; ".join(
        f"{one.name}: highest {max(one.y):.2f}, median {float(np.median(one.y)):.2f}" for one, _, _ in lines
    )
    parts = [
        f"<figure><figcaption>{escape(title)}{_legend(series, goal)}</figcaption>",
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{escape(f'{title}. {said}', quote=True)}'>",
    ]
    for start, stop in shaded:
        left, right = at_x(max(start, low_x)), at_x(min(stop, high_x))
        height = _HEIGHT - _TOP - _BOTTOM
        parts.append(
            f"<rect class='window' x='{left:.1f}' y='{_TOP}' width='{max(right - left, 1):.1f}' height='{height}'/>"
        )
    for tick in ticks:
        y = at_y(tick)
        parts.append(f"<path class='grid' d='M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}'/>")
        parts.append(f"<text x='{_LEFT - 8}' y='{y + 4:.1f}' text-anchor='end'>{tick:g}</text>")
    parts.append(f"<text class='unit' x='{_LEFT + 6}' y='{_TOP + 10}'>{escape(unit)}</text>")
    parts += [
        f"<text x='{at_x(value):.1f}' y='{_HEIGHT - 10}' text-anchor='middle'>{value:g}</text>"
        for value in _whole_steps(low_x, high_x)
    ]
    x_axis = f"x='{_WIDTH - _RIGHT}' y='{_HEIGHT - _BOTTOM - 6}' text-anchor='end'"
    parts.append(f"<text class='unit' {x_axis}>{escape(x_name)}</text>")
    if goal is not None:
        parts.append(f"<path class='goal' d='M{_LEFT} {at_y(goal):.1f}H{_WIDTH - _RIGHT}'/>")
    for value, word in marks:
        x = at_x(value)
        parts.append(f"<path class='mark' d='M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}'/>")
        parts.append(f"<text class='unit' x='{x + 4:.1f}' y='{_TOP + 22}'>{escape(word)}</text>")
    for one, across, up in lines:
        path = "L".join(f"{at_x(a):.1f} {at_y(b):.1f}" for a, b in zip(across, up, strict=True))
        parts.append(f"<path class='line {one.kind}' d='M{path}'/>")
    if lines:
        parts += _hints(*lines[-1][1:], x_name, at_x)
    return "".join([*parts, "</svg></figure>"])


def _hints(x: Sequence[float], y: Sequence[float], x_name: str, at_x: Callable[[float], float]) -> list[str]:
    """Strips that show a value where the pointer rests."""
    half = (_WIDTH - _LEFT - _RIGHT) / max(1, len(x)) / 2
    size = f"y='{_TOP}' width='{2 * half:.1f}' height='{_HEIGHT - _TOP - _BOTTOM}'"
    return [
        f"<rect class='hint' x='{at_x(a) - half:.1f}' {size}><title>{escape(x_name)} {a:g}: {b:.3f}</title></rect>"
        for a, b in zip(x, y, strict=True)
    ]


def _legend(series: Sequence[Series], goal: float | None) -> str:
    names = [f"<span class='key {one.kind}'>{escape(one.name)}</span>" for one in series]
    if goal is not None:
        names.append(f"<span class='key goal'>goal: at most {goal:g}</span>")
    return "".join(names)


def _ticks(low: float, high: float) -> list[float]:
    """Four to seven round numbers, the first at most ``low`` and the last above ``high``."""
    rough = max(high - low, 1e-6, abs(high) * 1e-3) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9) + 1
    return [round(step * number, 10) for number in range(first, last + 1)]


def _whole_steps(low: float, high: float) -> list[float]:
    """Up to ten whole numbers along the horizontal axis."""
    rough = max(1.0, (high - low) / 8)
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [float(value) for value in range(math.ceil(low / step) * step, math.floor(high) + 1, step)]
