"""Sentences from numbers that are written beside them."""

from types import SimpleNamespace

import pytest

from a1_reactor.report.facts import Join
from a1_reactor.report.words import Finding, findings, headline


def join(after=1.0, colour=1.0, side="left"):
    return Join(frame=8, side=side, before=4.0, after=after, colour_before=6.0, colour_after=colour)


def told(joins=(), *, score=0.95, flicker=0.1, cuts=(), parent=None, seams=(), untouched=None, frames=24):
    consistency = {"score": score, "flicker": flicker, "cuts": list(cuts)}
    report = {"temporal_consistency": consistency}
    if untouched is not None:
        report["regen"] = {"frames": {"untouched": {"count": untouched}}}
    parent_report = None if parent is None else {"temporal_consistency": {"score": 0.9, "cuts": [], **parent}}
    facts = SimpleNamespace(
        joins=joins, seams=seams, report=report, parent_report=parent_report, clip=SimpleNamespace(frame_count=frames)
    )
    return findings(facts)


def seam(worst=1.0, ssim=0.9, equal=0):
    return {
        "window": [8, 12],
        "after_blending": {"worst_inside": worst},
        "old_new": {"psnr_db": 30.0, "ssim": ssim, "equal_frames": equal},
    }


@pytest.mark.parametrize(
    ("after", "colour", "mark", "says"),
    [
        (1.25, 1.05, "good", "No seam where the window begins (frame 8): 4.00 before blending, 1.25 after"),
        (1.2, 1.2, "look", "the colour steps: 1.20 times the usual step"),
        (1.6, 1.0, "look", "A seam shows"),
        (4.0, 5.0, "bad", "A seam shows"),
    ],
)
def test_a_join_is_told_by_its_goals(after, colour, mark, says):
    first = told([join(after, colour)])[0]
    assert first.mark == mark
    assert says in first.text


@pytest.mark.parametrize(
    ("numbers", "mark", "says"),
    [
        ({"cuts": [5]}, "bad", "Frame 5 does not follow from the one before: a cut."),
        ({"cuts": [5, 9]}, "bad", "Frames 5, 9 do not follow"),
        ({"cuts": [5], "parent": {"cuts": [5]}}, "fact", "was in the parent already"),
        ({}, "good", "No frame jumps."),
        ({"score": 0.7}, "look", "Temporal consistency is 0.70"),
        ({"score": 0.3}, "bad", "Temporal consistency is 0.30"),
        ({"score": 0.5, "parent": {"score": 0.51}}, "good", "Temporal consistency is 0.50; the parent has 0.51."),
        ({"score": None}, "fact", "One frame"),
        ({"flicker": 2.0}, "look", "flickers by 2.0 of 255"),
        ({"flicker": 9.0}, "bad", "flickers by 9.0 of 255"),
        ({"seams": [seam(worst=1.8)]}, "look", "Inside the window of frames 8 to 11 a frame stands out 1.80 times."),
        ({"seams": [seam(worst=3.0)]}, "bad", "stands out 3.00 times"),
        ({"seams": [seam(ssim=0.99)]}, "fact", "much the same picture (PSNR 30.0 dB, SSIM 0.990"),
        ({"seams": [seam(ssim=0.4)]}, "fact", "another picture"),
        ({"seams": [seam(equal=4)]}, "look", "came back exactly as it was"),
        ({"untouched": 16}, "good", "All 16 frames outside the window are the parent's own"),
        ({"untouched": 0}, "fact", "The window is the whole clip."),
    ],
)
def test_every_number_has_its_sentence(numbers, mark, says):
    assert [one.mark for one in told(**numbers) if says in one.text] == [mark]


def test_the_headline_is_the_worst_of_them():
    good, look, bad = (Finding(mark, "") for mark in ("good", "look", "bad"))
    assert headline([good, good]).mark == "good"
    assert headline([good, look]).text == "It holds together, with 1 thing to look at."
    assert headline([look, bad, bad]).text == "Something shows: 2 findings below."


def test_an_image_has_no_sentence_about_jumps():
    assert not [one for one in told(score=None, flicker=None, frames=1) if "jumps" in one.text]
