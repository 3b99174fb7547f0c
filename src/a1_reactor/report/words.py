"""A clip's numbers as sentences that a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from a1_reactor.eval.consistency import COLOUR_GOAL, SEAM_GOAL
from a1_reactor.report.facts import ClipFacts, Join

__all__ = ["Finding", "findings", "headline"]

Mark = Literal["good", "look", "bad", "fact"]

_STEADY, _UNSTEADY = 0.85, 0.6
"""Scores: the reference scene has 0.95, a cut to another shot below 0.45, noise below 0.1."""
_INSIDE = 1.5
"""Residual ratio that a frame inside a window may have: a new take may be sharper than the old one."""
_FLICKER = 1.0
"""Levels of brightness that go up and down from frame to frame; eyes see one or two."""
_SAME, _OTHER = 0.98, 0.7
"""SSIM: above the first a take is the same picture to most eyes, below the second another one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence."""

    mark: Mark
    """``good``, ``look`` (worth a look), ``bad``, or ``fact`` (neither)."""
    text: str


def headline(found: list[Finding]) -> Finding:
    """All of it in one sentence."""
    bad = sum(one.mark == "bad" for one in found)
    look = sum(one.mark == "look" for one in found)
    if bad:
        return Finding("bad", f"Something shows: {bad} finding{'s' if bad > 1 else ''} below.")
    if look:
        return Finding("look", f"It holds together, with {look} thing{'s' if look > 1 else ''} to look at.")
    return Finding("good", "It holds together; nothing stands out.")


def findings(facts: ClipFacts) -> list[Finding]:
    """What the measurements say, the most important first."""
    return [
        *(_join(join) for join in facts.joins),
        *_inside(facts),
        *_cuts(facts),
        *_steadiness(facts),
        *_flicker(facts),
        *_change(facts),
        *_untouched(facts),
    ]


def _join(join: Join) -> Finding:
    where = f"where the window {'begins' if join.side == 'left' else 'ends'} (frame {join.frame})"
    numbers = f"{join.before:.2f} before blending, {join.after:.2f} after; 1 is none, up to {SEAM_GOAL} is not seen"
    if join.hidden:
        return Finding("good", f"No seam {where}: {numbers}.")
    if join.after <= SEAM_GOAL:
        step = f"{join.colour_after:.2f} times the usual step, the goal is {COLOUR_GOAL}"
        return Finding("look", f"Shapes run on {where}, but the colour steps: {step}.")
    mark: Mark = "look" if join.after <= 1.5 * SEAM_GOAL else "bad"
    return Finding(mark, f"A seam shows {where}: {numbers}.")


def _inside(facts: ClipFacts) -> list[Finding]:
    found = []
    for seam in facts.seams:
        worst, (start, stop) = seam["after_blending"]["worst_inside"], seam["window"]
        if worst is not None and worst > _INSIDE:
            joins = [join.after for join in facts.joins if join.frame in (start, stop)]
            if worst > max(joins, default=0):
                text = f"Inside the window of frames {start} to {stop - 1} a frame stands out {worst:.2f} times."
                found.append(Finding("look" if worst <= 2 else "bad", text))
    return found


def _cuts(facts: ClipFacts) -> list[Finding]:
    cuts = facts.report["temporal_consistency"]["cuts"]
    old = set() if facts.parent_report is None else set(facts.parent_report["temporal_consistency"]["cuts"])
    new = [cut for cut in cuts if cut not in old]
    if new:
        frames = ", ".join(map(str, new))
        told = f"Frame {frames} does" if len(new) == 1 else f"Frames {frames} do"
        return [Finding("bad", f"{told} not follow from the one before: a cut.")]
    if cuts:
        return [Finding("fact", f"The cut at frame {', '.join(map(str, cuts))} was in the parent already.")]
    return [Finding("good", "No frame jumps.")] if facts.clip.frame_count > 1 else []


def _steadiness(facts: ClipFacts) -> list[Finding]:
    score = facts.report["temporal_consistency"]["score"]
    if score is None:
        return [Finding("fact", "One frame: there is nothing to say about time.")]
    mark: Mark = "good" if score >= _STEADY else "look" if score >= _UNSTEADY else "bad"
    if facts.parent_report is None or facts.parent_report["temporal_consistency"]["score"] is None:
        return [Finding(mark, f"Temporal consistency is {score:.2f}; a steady moving picture is near 1, noise near 0.")]
    old = facts.parent_report["temporal_consistency"]["score"]
    if score >= 0.95 * old:  # what was unsteady before is not this take's fault
        mark = "good"
    return [Finding(mark, f"Temporal consistency is {score:.2f}; the parent has {old:.2f}.")]


def _flicker(facts: ClipFacts) -> list[Finding]:
    flicker = facts.report["temporal_consistency"]["flicker"]
    if flicker is None:
        return []
    if flicker <= _FLICKER:
        return [Finding("good", f"Brightness is calm: it flickers by {flicker:.2f} of 255 levels.")]
    return [Finding("look" if flicker <= 4 else "bad", f"Brightness flickers by {flicker:.1f} of 255 levels.")]


def _change(facts: ClipFacts) -> list[Finding]:
    found = []
    for seam in facts.seams:
        like = seam["old_new"]
        count = seam["window"][1] - seam["window"][0]
        if like["equal_frames"] == count:
            found.append(Finding("look", "The window came back exactly as it was."))
            continue
        word = "much the same picture" if like["ssim"] > _SAME else "another picture" if like["ssim"] < _OTHER else ""
        ratio = f"PSNR {like['psnr_db']:.1f} dB, SSIM {like['ssim']:.3f} to the old frames"
        found.append(Finding("fact", f"The new window is {word} ({ratio})." if word else f"New against old: {ratio}."))
    return found


def _untouched(facts: ClipFacts) -> list[Finding]:
    regen = facts.report.get("regen")
    if regen is None:
        return []
    count = regen["frames"]["untouched"]["count"]
    if count == 0:
        return [Finding("fact", "The window is the whole clip.")]
    return [Finding("good", f"All {count} frames outside the window are the parent's own, compared by hash.")]
