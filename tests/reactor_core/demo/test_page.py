import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from reactor_core.demo.page import render_page


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.sources, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def html(summary, tmp_path):
    paths = {}
    for name in ("loss_png", "before_png", "after_png"):
        paths[name] = tmp_path / f"{name}.png"
        Image.new("RGB", (4, 4)).save(paths[name])
    return render_page(summary, **paths)


def test_the_page_needs_nothing_else(html):
    page = Page()
    page.feed(html)
    assert len(page.sources) == 3
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert "script" not in page.tags
    assert "link" not in page.tags


def test_what_the_model_was_asked_is_text_not_markup(html):
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "2 processors &lt;cpu&gt;" in html


@pytest.mark.parametrize(
    "text", ["0.620", "+28.0 points", "300 held-out rows", "3.00 GiB", "$0.0123", "4,321", "20 / 72", "other.jsonl"]
)
def test_the_measured_values_are_on_the_page(html, text):
    assert text in re.sub(r"base64,[^']*", "", html)


def test_bars_are_as_long_as_the_accuracies(html):
    # The bar of accuracy 1 would be 720 wide.
    assert "width='446.4'" in html  # 0.62 * 720
    assert "width='244.8'" in html  # 0.34 * 720


def test_the_clip_stands_beside_its_parent(html):
    assert "<th class=text>mean_l1</th><td>0.01</td><td>0.02</td>" in html
    assert "<th class=text>cuts</th><td>0</td><td>2</td>" in html  # a list is counted
    assert "<th class=text>left</th><td>2.5</td><td>1.125</td>" in html
