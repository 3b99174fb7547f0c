import base64
import io

import numpy as np
import pytest
from PIL import Image

from a1_reactor.media.mask import painted, share_of
from a1_reactor.types import Mask, Window
from reactor_core.errors import SpecError


def as_png(grey):
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_a_rectangle_is_ones_in_zeros():
    share = share_of(Mask(rectangle=(2, 1, 3, 2)), width=8, height=4)
    expected = np.zeros((4, 8))
    expected[1:3, 2:5] = 1
    assert np.array_equal(share, expected)


def test_a_feather_rises_inside_the_rectangle_and_never_outside():
    share = share_of(Mask(rectangle=(2, 0, 6, 4), feather=1), width=10, height=4)
    # Top and bottom are the picture's own edges, where there is nothing to fade into.
    assert share[0].tolist() == [0, 0, 0.5, 1, 1, 1, 1, 0.5, 0, 0]
    assert np.array_equal(share[0], share[3])


def test_greys_of_a_picture_are_shares():
    grey = np.zeros((4, 8), np.uint8)
    grey[0, 0], grey[0, 1] = 255, 51
    share = share_of(Mask(png=as_png(grey)), width=8, height=4)
    assert share[0, :3] == pytest.approx([1, 0.2, 0])


def test_a_picture_of_another_size_or_a_torn_one_is_refused():
    grey = np.random.default_rng(0).integers(0, 256, (4, 8), dtype=np.uint8)
    with pytest.raises(SpecError, match="the mask is 8x4, the clip is 96x64"):
        share_of(Mask(png=as_png(grey)), width=96, height=64)
    torn = base64.b64encode(base64.b64decode(as_png(grey))[:50]).decode()
    with pytest.raises(SpecError, match="damaged"):
        share_of(Mask(png=torn), width=8, height=4)


def test_no_mask_is_no_mask():
    assert share_of(None, width=8, height=4) is None
    assert painted(None, width=8, height=4) is None


def test_soft_edges_are_painted_in_full():
    mask = Mask(rectangle=(2, 1, 6, 3), feather=2)
    share = share_of(mask, width=10, height=6)
    assert 0 < share[1, 2] < 1
    area = painted(mask, width=10, height=6)
    assert area[1:4, 2:8].all()
    assert area.sum() == 3 * 6


def test_outside_a_mask_a_regenerated_clip_has_the_parents_samples(engine, spec):
    parent = engine.generate(spec()).clip
    mask = Mask(rectangle=(16, 8, 48, 40), feather=4)
    child = engine.regen(spec(prompt="sharper", windows=(Window(8, 16),), mask=mask), parent=parent).clip
    outside = share_of(mask, width=96, height=64) == 0
    for index in range(8, 16):
        old, new = parent.frame(index), child.frame(index)
        assert np.array_equal(old[outside], new[outside])
        assert not np.array_equal(old, new)
    assert child.report()["regen"]["mask"] == {"rectangle": [16, 8, 48, 40], "feather": 4}
