import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.engine.report import clip_report, frame_ranges, measures_of
from a1_reactor.eval.measures import measure_clip
from a1_reactor.types import JobSpec
from reactor_core.errors import ArtifactCorrupt

MEASURES = measure_clip(np.full((64, 96, 3), level, np.uint8) for level in (100, 90, 70))


def test_the_fields_of_the_first_prototype_are_there():
    report = clip_report(JobSpec(prompt="x", seconds="3/24"), MEASURES, decoded_frames=3)
    assert (report["fps"], report["num_frames"]) == (24.0, 3)
    assert {"mean_l1", "p95_l1", "note"} <= set(report["temporal_consistency"])


def test_a_report_has_the_drift_of_the_clip():
    report = clip_report(JobSpec(prompt="x", seconds="3/24"), MEASURES, decoded_frames=3)
    assert report["drift"] == {"1": 15, "2": 30}


def test_a_clips_measurements_are_read_back(engine, spec):
    clip = engine.generate(spec(seconds="1/4")).clip
    measures = measures_of(clip)
    anew = measure_clip(clip.frame(index) for index in range(clip.frame_count))
    assert measures.table == pytest.approx(anew.table, abs=1e-6)
    assert np.array_equal(measures.cells, anew.cells)


def test_a_clip_that_was_stored_without_colours_is_measured_anew(engine, spec):
    clip = engine.generate(spec(seconds="1/4")).clip
    before = measures_of(clip)
    rewrite(clip, {"version": 1, "pairs": [{"l1": 0.0}]})
    assert measures_of(clip).table == pytest.approx(before.table, abs=1e-6)


@pytest.mark.parametrize("report", [{}, {"pairs": {"l1": [0.1]}}, {"pairs": 3}, {"pairs": []}])
def test_a_report_of_another_clip_is_refused(engine, spec, report):
    clip = engine.generate(spec(seconds="1/8")).clip
    rewrite(clip, {"version": 2, **report})
    with pytest.raises(ArtifactCorrupt, match=f"clip {clip.key} cannot be used"):
        measures_of(clip)


def test_torn_colours_are_refused(engine, spec):
    clip = engine.generate(spec(seconds="1/8")).clip
    path = clip.path / "run" / "colours.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactCorrupt, match="cannot be used"):
        measures_of(clip)


def rewrite(clip, report):
    (clip.path / "run" / "report.json").write_text(json.dumps(report))


@given(st.sets(st.integers(0, 40)))
def test_ranges_hold_exactly_the_numbers(numbers):
    ranges = frame_ranges(numbers)
    assert sorted(numbers) == [i for start, stop in ranges for i in range(start, stop)]
    assert all(left[1] < right[0] for left, right in pairwise(ranges))
