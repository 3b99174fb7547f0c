from __future__ import annotations

import io

import numpy as np
from PIL import Image

from a1_reactor.server.pictures import filmstrip


def test_cells_stand_side_by_side_from_the_first_frame_to_the_last(engine, spec):
    clip = engine.generate(spec(seconds="1/2")).clip
    data, numbers = filmstrip(clip, count=4, height=32)
    assert numbers == [0, 4, 7, 11]
    row = np.asarray(Image.open(io.BytesIO(data)))
    assert row.shape == (32, 4 * 48, 3)
    last = Image.fromarray(clip.frame(11)).resize((48, 32), Image.Resampling.BOX)
    assert np.array_equal(row[:, 3 * 48 :], np.asarray(last))


def test_a_short_clip_has_fewer_cells(engine, spec):
    _, numbers = filmstrip(engine.generate(spec(seconds="1/12")).clip, count=24, height=16)
    assert numbers == [0, 1]
