import json
import shutil

import numpy as np
import pytest

from a1_reactor.report.facts import gather
from reactor_core.errors import ArtifactCorrupt


def test_both_joins_are_there_with_their_numbers(facts):
    seam = facts.report["regen"]["seams"][0]
    left, right = facts.joins
    assert (left.frame, left.side, right.frame, right.side) == (6, "left", 18, "right")
    assert (left.before, left.after) == (seam["before_blending"]["left"], seam["after_blending"]["left"])
    assert right.colour_after == seam["after_blending"]["colour_right"]


def test_ratios_are_taken_to_the_parents_median(facts):
    old = facts.parent_measures.column("residual")
    expected = (facts.measures.column("residual") + 0.25) / (np.median(old) + 0.25)
    assert facts.ratios(facts.measures) == pytest.approx(expected)
    assert np.median(facts.ratios(facts.parent_measures)) == pytest.approx(1)


def test_a_clip_without_parent_is_its_own_measure(parent_facts):
    assert (parent_facts.parent, parent_facts.joins, parent_facts.windows) == (None, (), [])
    assert np.median(parent_facts.colour_ratios(parent_facts.measures)) == pytest.approx(1)


def test_a_parent_that_is_gone_is_left_out(made, tmp_path):
    engine, parent, clip = made
    aside = shutil.move(parent.path, tmp_path / parent.key)
    try:
        assert gather(engine.store, clip).parent is None
    finally:
        shutil.move(aside, parent.path)


def test_a_report_without_its_numbers_is_refused(made, tmp_path):
    engine, _, clip = made
    path = clip.path / "run" / "report.json"
    good = path.read_text()
    report = json.loads(good)
    del report["regen"]["seams"][0]["after_blending"]
    path.write_text(json.dumps(report))
    try:
        with pytest.raises(ArtifactCorrupt, match="after_blending"):
            gather(engine.store, clip)
    finally:
        path.write_text(good)
