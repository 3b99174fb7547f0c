import re
import shutil
from html.parser import HTMLParser

import pytest
from tests.servers.display import needs

from a1_reactor.report.page import render_report
from a1_reactor.report.style import POLICY


@pytest.fixture(scope="module")
def page(facts):
    return render_report(facts)


class Outside(HTMLParser):
    """Collects everything that would be fetched, run or styled from outside the policy."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in {"src", "href", "style"} or name.startswith("on"):
                self.found.append((tag, name, (value or "")[:20]))
        if tag in {"script", "link", "iframe", "object", "form"}:
            self.found.append((tag, "", ""))


def test_the_page_needs_nothing_else(page):
    outside = Outside()
    outside.feed(page)
    assert {entry for entry in outside.found if not entry[2].startswith("data:image/webp;")} == set()


def test_it_carries_its_policy(page):
    carried = re.search(r'http-equiv=Content-Security-Policy content="([^"]+)"', page)[1]
    assert f"{carried}; frame-ancestors 'self'" == POLICY


def test_it_says_when_the_clip_was_made_to_the_minute(page, facts):
    assert re.search(r"24 fps, \d+x\d+, made \d{4}-\d\d-\d\d \d\d:\d\d UTC", page)
    assert facts.clip.job.created not in page


def test_what_a_prompt_says_is_text(page):
    assert "&lt;b&gt;sharper&lt;/b&gt; &amp; &quot;new&quot;" in page
    assert "<b>sharper" not in page


def test_old_new_and_difference_stand_under_each_other(page, facts):
    assert [page.count(f"<h3>{name}") for name in ("Old", "New", "Difference, 4 times as strong")] == [1, 1, 1]
    assert page.count("<img ") % 3 == 0
    assert f"Blending of frames 6 to 17: {facts.seams[0]['blend']['method']}" in page


def test_a_clip_without_parent_has_one_strip_and_no_blending(parent_facts):
    page = render_report(parent_facts)
    assert "From beginning to end" in page
    assert "Blending" not in page
    assert "its parent" not in page


def test_an_image_has_a_page_too(engine, spec):
    from a1_reactor.report.facts import gather

    clip = engine.generate(spec(seconds="1/24")).clip
    assert "One frame has no curves." in render_report(gather(engine.store, clip))


@pytest.mark.system
def test_a_browser_shows_it_in_both_themes_and_asks_for_nothing(page, tmp_path):
    needs("chromium")
    from playwright.sync_api import sync_playwright

    path = tmp_path / "report.html"
    path.write_text(page)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        backgrounds = set()
        for scheme in ("light", "dark"):
            tab = browser.new_page(color_scheme=scheme, viewport={"width": 420, "height": 800})
            complaints, asked = [], []
            tab.on("console", lambda message, into=complaints: into.append(message.text))
            tab.on("request", lambda request, into=asked: into.append(request.url))
            tab.goto(path.as_uri())
            assert (complaints, [url for url in asked if not url.startswith("data:")]) == ([], [path.as_uri()])
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways scrolling"
            assert tab.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
            backgrounds.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        browser.close()
    assert len(backgrounds) == 2
