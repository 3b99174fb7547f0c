from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from tests.a1_reactor.media.videos import corner, counting

from a1_reactor.media.export_gif import export_gif, gif_step
from reactor_core.errors import StorageError


@pytest.mark.parametrize(("fps", "step"), [(24, 1), (50, 1), (60, 2), (Fraction(60000, 1001), 2), (120, 3), (240, 5)])
def test_no_more_than_fifty_frames_a_second_are_left(fps, step):
    assert gif_step(Fraction(fps)) == step
    assert Fraction(fps) / step <= 50


def test_frames_colours_and_times_come_back(tmp_path):
    frames = [counting()(index) for index in range(12)]
    export_gif(lambda: frames, tmp_path / "a.gif", size=(64, 64), fps=Fraction(24))
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (12, (64, 64), 0)
        shown, times = [], []
        for index in range(12):
            image.seek(index)
            shown.append(np.asarray(image.convert("RGB"))[32, 32, 0])
            times.append(image.info["duration"])
    assert np.abs(np.array(shown, int) - [16 + 8 * index for index in range(12)]).max() <= 4
    # 1/24 s is 4.17 hundredths: 11 of them end at 46, so that the clip keeps its speed.
    assert sum(times[:-1]) == 460


def test_a_smaller_one_keeps_its_shape_and_fast_clips_lose_frames(tmp_path):
    export_gif(
        lambda: [corner()(index) for index in range(12)], tmp_path / "a.gif", size=(96, 64), fps=Fraction(60), width=48
    )
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.size, image.n_frames) == ((48, 32), 6)
        red, blue = image.convert("RGB").getpixel((8, 8)), image.convert("RGB").getpixel((40, 24))
    assert red[0] > 150 > red[2]
    assert blue[2] > 150 > blue[0]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StorageError):
        export_gif(lambda: [corner()(0)], tmp_path / "none" / "a.gif", size=(96, 64), fps=Fraction(24))
