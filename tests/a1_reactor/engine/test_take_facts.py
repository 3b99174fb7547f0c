from dataclasses import replace

import pytest

from a1_reactor.engine.take_facts import METRICS, best_of, take_facts, take_metrics, take_question, take_reference
from a1_reactor.types import Mask, Window
from reactor_core.errors import SpecError


@pytest.fixture(scope="module")
def clips(copy_takes, tmp_path_factory):
    """A base, two takes of frames 4 to 7, and one of other frames."""
    copied = copy_takes(tmp_path_factory.mktemp("facts") / "a1r")
    elsewhere = copied.engine.regen(replace(copied.asked, windows=(Window(1, 3),)), parent=copied.base).clip
    return copied.base, *copied.takes[:2], elsewhere


def test_takes_of_one_window_answer_one_question_and_differ_as_answers(clips):
    base, first, second, elsewhere = clips
    assert take_question(first) == take_question(second)
    assert take_reference(first) != take_reference(second)
    assert len({take_question(clip) for clip in (base, first, elsewhere)}) == 3


def test_the_question_says_what_was_asked(clips):
    base, first, *_ = clips
    lines = take_question(first).splitlines()
    assert lines[0] == "sharper"
    assert lines[1].startswith("without: low quality")
    assert lines[2] == f"[clip {base.key}, frames 4 to 7]"


def test_another_part_of_the_picture_is_another_question(clips):
    _, first, *_ = clips

    def asked(mask):
        spec = replace(first.job.resolved, mask=mask)
        return take_question(replace(first, job=replace(first.job, resolved=spec)))

    parts = [None, Mask(rectangle=(0, 0, 16, 16)), Mask(rectangle=(0, 0, 16, 18))]
    assert len({asked(part) for part in parts}) == 3


def test_the_facts_name_the_frames_that_the_take_made(clips):
    _, first, *_ = clips
    facts = take_facts(first, usd_per_hour=None)
    assert facts["frames"]["ids"] == [entry.pixels for entry in first.manifest.frames[4:8]]
    assert (facts["seed"], facts["windows"], facts["cost"]["usd"]) == (0, [[4, 8]], None)
    assert facts["frames"]["sha256"] in take_reference(first)


def test_the_cost_is_the_time_at_the_price_of_the_machine(clips):
    cost = take_facts(clips[1], usd_per_hour=3600.0)["cost"]
    assert cost["usd"] == pytest.approx(cost["wall_ms"] / 1000)  # 3600 dollars an hour are one a second
    assert (cost["provider_usd"], cost["provider_calls"], cost["provider_calls_broken_off"]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("paid", "usd"), [({"calls": 2, "usd": 0.5}, 0.5), ({"calls": 2, "usd": None}, None), ({}, None)]
)
def test_what_the_provider_was_paid_is_added_and_what_is_not_known_is_never_nothing(clips, paid, usd):
    class Reported:
        def __init__(self, clip):
            self.clip = clip

        def __getattr__(self, name):
            return getattr(self.clip, name)

        def report(self):
            return {**self.clip.report(), "cost": paid}

    cost = take_facts(Reported(clips[1]), usd_per_hour=3600.0)["cost"]
    assert cost["provider_usd"] == usd
    assert cost["usd"] == (None if usd is None else pytest.approx(cost["wall_ms"] / 1000 + usd))


def test_a_whole_clip_has_no_seam_to_measure(clips):
    base, first, *_ = clips
    assert (take_metrics(base)["seam"], take_metrics(base)["colour"]) == (None, None)
    assert all(value is not None for value in take_metrics(first).values())


@pytest.mark.parametrize("name", METRICS)
def test_the_best_take_is_the_one_that_the_metric_puts_first(clips, name):
    takes = list(clips[1:3])
    values = {clip.key: take_metrics(clip)[name] for clip in takes}
    wanted = (max if METRICS[name].higher else min)(values.values())
    assert values[best_of(takes, name).key] == wanted


def test_an_unknown_metric_and_one_without_values_are_refused(clips):
    with pytest.raises(SpecError, match="beauty"):
        best_of(list(clips), "beauty")
    with pytest.raises(SpecError, match="seam"):
        best_of([clips[0]], "seam")
