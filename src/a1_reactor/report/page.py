"""The report of a clip as a single HTML file that needs nothing else: no script, no network, no other file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from a1_reactor.eval.consistency import SEAM_GOAL
from a1_reactor.eval.drift import drift_curve
from a1_reactor.media.filmstrip import strip_frames
from a1_reactor.report.charts import Series, curve_chart
from a1_reactor.report.facts import ClipFacts
from a1_reactor.report.strips import DIFFERENCE_GAIN, difference, strip_row
from a1_reactor.report.style import POLICY, STYLE
from a1_reactor.report.subject import Subject, spread_over, subject_finding
from a1_reactor.report.words import findings, headline

__all__ = ["render_report"]

_MOST_STRIPS = 6
"""Windows whose frames are shown; a page with hundreds of pictures would be hundreds of megabytes."""


def render_report(facts: ClipFacts, subject: Subject | None = None) -> str:
    """Build the page.

    Args:
        facts: What it is about.
        subject: Whether the clip goes on showing the same thing, if that was looked at.

    Raises:
        ArtifactCorrupt: A frame that is shown is not the one that was stored.
    """
    spec = facts.clip.job.resolved
    found = [*findings(facts), *([] if subject is None else [subject_finding(subject)])]
    verdict = headline(found)
    policy = POLICY.partition("; frame-ancestors")[0]
    length = (
        f"{spec.frames} frame{'s' if spec.frames > 1 else ''} at {float(spec.fps):g} fps, {spec.width}x{spec.height}"
    )
    made = facts.clip.job.created[:16].replace("T", " ")  # to the minute; job.json has the rest
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        f'<meta http-equiv=Content-Security-Policy content="{policy}">',
        "<meta name=viewport content='width=device-width, initial-scale=1'>",
        f"<title>Clip {facts.clip.key}</title><style>{STYLE}</style></head><body><main>",
        f"<h1>Clip <code>{facts.clip.key}</code></h1>",
        f"<p class=soft>{escape(length)}, made {escape(made)} UTC{_parentage(facts)}</p>",
        f"<p class=prompt>{escape(spec.prompt)}</p>",
        f"<section class='verdict {verdict.mark}'><b>{escape(verdict.text)}</b><ul class=found>",
        *(f"<li class={one.mark}>{escape(one.text)}</li>" for one in found),
        "</ul></section>",
        *_strips(facts),
        "<h2>Frame by frame</h2>",
        *_curves(facts),
        *([] if subject is None else [_subject(subject)]),
        *_blending(facts),
        "<h2>Where it comes from</h2>",
        _origin(facts),
        "</main></body></html>",
    ]
    return "\n".join(parts)


def _parentage(facts: ClipFacts) -> str:
    if facts.clip.job.parent is None:
        return ""
    gone = "" if facts.parent is not None else " (removed)"
    return f", from <code>{escape(facts.clip.job.parent)}</code>{gone}"


def _strips(facts: ClipFacts) -> Iterable[str]:
    clip, fps = facts.clip, float(facts.clip.job.resolved.fps)
    if not facts.windows:
        indices = spread_over(0, clip.frame_count, 9)
        yield "<h2>Frames</h2>"
        yield strip_row("From beginning to end", indices, clip.frame, fps=fps, inside=())
        return
    inside = {index for start, stop in facts.windows for index in range(start, stop)}
    for start, stop in facts.windows[:_MOST_STRIPS]:
        indices = strip_frames(start, stop, clip.frame_count)
        yield f"<h2>Window of frames {start} to {stop - 1}, {start / fps:.2f} to {stop / fps:.2f} s</h2>"
        parent = facts.parent
        if parent is not None:
            yield strip_row("Old", indices, parent.frame, fps=fps, inside=())
        yield strip_row("New", indices, clip.frame, fps=fps, inside=inside)
        if parent is not None:
            old = parent.frame
            yield strip_row(
                f"Difference, {DIFFERENCE_GAIN} times as strong",
                indices,
                lambda index, old=old: difference(old(index), clip.frame(index)),  # type: ignore[misc]
                fps=fps,
                inside=inside,
            )
    if len(facts.windows) > _MOST_STRIPS:
        yield f"<p class=soft>{len(facts.windows) - _MOST_STRIPS} more windows are not shown.</p>"


def _curves(facts: ClipFacts) -> Iterable[str]:
    if facts.clip.frame_count < 2:
        yield "<p>One frame has no curves.</p>"
        return
    frames = list(range(1, facts.clip.frame_count))
    before = facts.parent_measures
    marks = [(float(cut), "cut") for cut in facts.report["temporal_consistency"]["cuts"]]

    def lines(now: Sequence[float], old: Sequence[float] | None) -> list[Series]:
        both = [Series("this clip", "now", frames, now)]
        return both if old is None else [Series("its parent", "old", frames, old), *both]

    def chart(title: str, now: Sequence[float], old: Sequence[float] | None, unit: str, goal: float | None) -> str:
        return curve_chart(
            title,
            lines(now, old),
            unit=unit,
            x_name="frame",
            goal=goal,
            from_zero=title != "Brightness",
            shaded=facts.windows,
            marks=marks,
        )

    yield chart(
        "How far each frame stands out (what motion does not explain)",
        facts.ratios(facts.measures).tolist(),
        None if before is None else facts.ratios(before).tolist(),
        "times the usual",
        SEAM_GOAL,
    )
    yield chart(
        "Colour steps",
        facts.colour_ratios(facts.measures).tolist(),
        None if before is None else facts.colour_ratios(before).tolist(),
        "times the usual",
        None,  # the goal is for joins alone, against what the parent had at that very place
    )
    for title, name, unit in (("Brightness", "luma", "levels of 255"), ("Motion", "motion", "pixels per frame")):
        now, old = facts.measures.column(name).tolist(), None if before is None else before.column(name).tolist()
        yield chart(title, now, old, unit, None)
    yield _drift(facts)


def _drift(facts: ClipFacts) -> str:
    now = drift_curve(facts.measures.cells)
    series = [Series("this clip", "now", [float(gap) for gap in now], list(now.values()))]
    if facts.parent_measures is not None:
        old = drift_curve(facts.parent_measures.cells)
        series.insert(0, Series("its parent", "old", [float(gap) for gap in old], list(old.values())))
    title = "Drift: how different frames are in colour, by how far apart they are"
    return curve_chart(title, series, unit="levels of 255", x_name="frames apart")


def _subject(subject: Subject) -> str:
    line = Series("this clip", "now", subject.frames, subject.to_first)
    return curve_chart("Subject: likeness to the first frame, seen as objects", [line], unit="cosine", x_name="frame")


def _blending(facts: ClipFacts) -> Iterable[str]:
    for seam in facts.seams:
        blend, (start, stop) = seam["blend"], seam["window"]
        yield f"<h2>Blending of frames {start} to {stop - 1}: {escape(blend['method'])}</h2>"
        yield f"<p>{escape(blend['reason'][:1].upper() + blend['reason'][1:])}.</p>"
        if blend["tried"]:
            rows = "".join(
                f"<tr{' class=chosen' if one['method'] == blend['method'] else ''}><td class=text>"
                f"{escape(one['method'])}</td><td>{_number(one['seam'])}</td><td>{_number(one['colour'])}</td>"
                f"<td class=text>{'yes' if one['reaches_goal'] else 'no'}</td></tr>"
                for one in blend["tried"]
            )
            yield (
                "<div class=scroll><table><tr><th class=text>tried, the cheapest first</th><th>seam</th>"
                f"<th>colour step</th><th class=text>reaches the goals</th></tr>{rows}</table></div>"
            )


def _origin(facts: ClipFacts) -> str:
    job, spec = facts.clip.job, facts.clip.job.resolved
    rows: list[tuple[str, Any]] = [
        ("provider", ", ".join(f"{name} {value}" for name, value in job.provider.items())),
        ("seed", spec.seed),
        ("avoids", spec.negative_prompt or "nothing"),
        ("ancestors", ", ".join(job.lineage) or "none"),
        ("spec", job.hash),
    ]
    timings = facts.report.get("timings", {})
    if timings:
        rows.append(("processor time", ", ".join(f"{name} {time['cpu_ms']:.0f} ms" for name, time in timings.items())))
    body = "".join(
        f"<tr><th class=text>{escape(name)}</th><td class='text long'>{escape(str(value))}</td></tr>"
        for name, value in rows
    )
    return f"<div class=scroll><table>{body}</table></div>"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"
