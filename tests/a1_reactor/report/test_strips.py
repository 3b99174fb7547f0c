import base64
import io
import re

import numpy as np
from PIL import Image

from a1_reactor.report.strips import data_uri, difference, strip_row


def flat(level):
    return np.full((64, 96, 3), level, np.uint8)


def test_differences_are_shown_four_times_as_strong_and_do_not_wrap():
    assert (difference(flat(100), flat(90)) == 40).all()
    assert (difference(flat(90), flat(100)) == 40).all()
    assert (difference(flat(0), flat(255)) == 252).all()


def test_every_frame_says_what_it_is_and_windows_are_marked():
    row = strip_row("New", [3, 4], lambda index: flat(index), fps=24, inside={4})
    assert "alt='New, frame 3, 0.12 s'" in row
    assert row.count("<figure class=in>") == 1


def test_pictures_travel_inside_the_page():
    row = strip_row("New", [3], lambda index: flat(200), fps=24, inside=())
    data = re.search(r"data:image/webp;base64,([^']+)", row)[1]
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.size == (96, 64)
    assert abs(np.asarray(image).mean() - 200) < 4


def test_large_frames_become_small_pictures():
    large = Image.fromarray(np.random.default_rng(0).integers(0, 256, (768, 768, 3), dtype=np.uint8))
    row = strip_row("New", [0], lambda index: np.asarray(large), fps=24, inside=())
    assert "width=220 height=220" in row
    assert len(data_uri(large)) > len(row)
