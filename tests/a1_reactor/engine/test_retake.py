from dataclasses import replace

import numpy as np
import pytest

from a1_reactor.engine.blend import BlendConfig
from a1_reactor.engine.retake import Retake
from a1_reactor.eval.measures import measure_clip
from a1_reactor.eval.reference import ReferenceScene
from a1_reactor.eval.seams import Typical
from a1_reactor.types import Window

SCENE = ReferenceScene(side=96, frames=14, window=Window(4, 10))


def retaken(window=SCENE.window, new=SCENE.new, reads=None, **config):
    def old(index):
        if reads is not None:
            reads.append(index)
        return SCENE.old(index)

    measures = measure_clip(SCENE.old(index) for index in range(SCENE.frames))
    retake = Retake(window, SCENE.frames, old, new, Typical.of(measures), BlendConfig(**config))
    made = {}
    for index, frame in retake.frames():
        retake.measure(index, frame)
        made[index] = frame
    return retake, made, measures


def test_the_measurements_are_those_of_the_finished_clip():
    retake, made, measures = retaken()
    whole = measure_clip(made.get(index, SCENE.old(index)) for index in range(SCENE.frames))
    changed = measures.changed(retake.pairs, retake.cells)
    assert np.array_equal(changed.table, whole.table)
    assert np.array_equal(changed.cells, whole.cells)


@pytest.mark.parametrize(("window", "pairs"), [(Window(0, 3), [1, 2, 3]), (Window(11, 14), [11, 12, 13])])
def test_a_window_at_the_clips_edge_has_the_joins_that_are_there(window, pairs):
    retake, _, _ = retaken(window)
    assert sorted(retake.pairs) == pairs


def test_the_report_says_what_was_done_and_what_it_brought():
    report = retaken()[0].to_json()
    assert report["window"] == [4, 10]
    assert report["after_blending"]["left"] < report["before_blending"]["left"]
    assert (
        report["blend"]["method"] == report["blend"]["tried"][-1]["method"] or "no method" in report["blend"]["reason"]
    )
    assert 15 < report["old_new"]["psnr_db"] < 60
    assert 0 < report["old_new"]["ssim"] < 1


def test_frames_that_come_back_unchanged_are_counted():
    report = retaken(new=SCENE.old)[0].to_json()
    assert report["old_new"] == {"psnr_db": None, "ssim": 1.0, "equal_frames": 6}
    assert report["blend"]["method"] == "none"


def test_no_old_frame_is_read_but_the_windows_and_its_neighbours():
    reads = []
    retaken(reads=reads)
    assert set(reads) == set(range(3, 11))


@pytest.mark.parametrize("method", ["auto", "offset + morph 8"])
@pytest.mark.parametrize(
    ("width", "height", "frames", "window"),
    [(16, 16, 1, Window(0, 1)), (98, 66, 2, Window(1, 2)), (320, 16, 5, Window(2, 3)), (32, 32, 12, Window(0, 11))],
)
def test_no_shape_is_too_small_or_too_odd(engine, spec, width, height, frames, window, method):
    size = {"width": width, "height": height, "seconds": f"{frames}/24"}
    parent = engine.generate(spec(**size)).clip
    blending = replace(engine, blend=BlendConfig(method=method))
    report = blending.regen(spec(prompt="another", windows=(window,), **size), parent=parent).report
    assert len(report["pairs"]["l1"]) == frames - 1
    assert report["regen"]["seams"][0]["window"] == [window.start, window.stop]
