import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.report.charts import Series, _ticks, curve_chart, peaks


def drawn(values, **options):
    series = [Series("this clip", "now", list(range(1, len(values) + 1)), values)]
    options = {"unit": "levels", "x_name": "frame", **options}
    html = curve_chart("Brightness & more", series, **options)
    return html, ElementTree.fromstring(html)


def test_a_single_bad_frame_of_a_long_clip_is_drawn():
    values = [1.0] * 5000
    values[1234] = 9.0
    x, y = peaks(range(5000), values)
    assert len(x) == 480
    assert max(y) == 9
    assert x[y.index(9)] == 1234


def test_short_clips_keep_every_frame():
    assert peaks([1, 2, 3], [3.0, 1.0, 2.0]) == ([1, 2, 3], [3.0, 1.0, 2.0])


def test_a_figure_is_well_formed_and_says_its_numbers_to_a_screen_reader():
    html, figure = drawn([1.0, 3.0, 2.0], goal=1.25, shaded=[(1, 2)], marks=[(2, "cut")])
    assert figure.find("svg").get("aria-label") == "Brightness & more. this clip: highest 3.00, median 2.00"
    assert figure.find("svg").get("role") == "img"
    assert "<title>frame 2: 3.000</title>" in html
    assert "goal: at most 1.25" in html


def test_nothing_in_it_needs_a_script_or_a_style_of_its_own():
    html, _ = drawn([1.0, 2.0])
    assert "<script" not in html
    assert "style=" not in html


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.booleans())
def test_every_point_lies_inside_the_frame(values, from_zero):
    _, figure = drawn(values, from_zero=from_zero)
    path = next(p.get("d") for p in figure.iter("path") if p.get("class") == "line now")
    for point in path.removeprefix("M").split("L"):
        x, y = map(float, point.split())
        assert 52 <= x <= 946
        assert 11.9 <= y <= 160.1


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1.3, [0, 0.5, 1, 1.5]), (0, 20, [0, 5, 10, 15, 20, 25]), (114, 117, [114, 115, 116, 117, 118]), (0, 0, None)],
)
def test_ticks_are_round_and_reach_beyond_the_values(low, high, expected):
    ticks = _ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] > high
    assert expected is None or ticks == expected


def test_a_clip_of_one_frame_has_an_empty_chart():
    html, _ = drawn([])
    assert "line now" not in html
