from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient
from tests.a1_reactor.media.videos import counting, write_video
from tests.a1_reactor.server.conftest import client_of, settings_in, until
from tests.servers.display import needs
from tests.servers.postgres import free_port

from a1_reactor.server.api import create_app
from a1_reactor.server.ui import page_policy, ui_folder

UI = Path(str(ui_folder()))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with client_of(settings_in(tmp_path_factory.mktemp("ui"))) as client:
        yield client


def test_the_root_leads_to_the_page(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, "/ui/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_the_page_may_load_its_own_files_and_its_import_map_alone(client: TestClient) -> None:
    answer = client.get("/ui/")
    (import_map,) = re.findall(r'<script type="importmap">(.*?)</script>', answer.text)
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "unsafe" not in policy
    assert "media-src 'self' blob:;" in policy
    assert "require-trusted-types-for 'script'" in policy
    for word in ("onclick", "style=", "http://", "https://"):
        assert word not in answer.text


def test_a_page_without_inline_scripts_gets_no_hash() -> None:
    assert "sha256" not in page_policy("<!doctype html><script>alert(1)</script>")


def test_every_file_that_a_file_names_is_served(client: TestClient) -> None:
    seen, names = set(), ["index.html"]
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        answer = client.get(f"/ui/{name}")
        assert answer.status_code == 200, name
        kind = {"html": "text/html", "css": "text/css", "mjs": "text/javascript"}[name.rpartition(".")[2]]
        assert answer.headers["content-type"].startswith(kind)
        names += re.findall(r'"\./([\w/-]+\.mjs)"', answer.text) + re.findall(
            r'(?:href|src)="([\w-]+\.\w+)"', answer.text
        )
    on_disk = {path.relative_to(UI).as_posix() for path in UI.rglob("*") if path.suffix in (".html", ".css", ".mjs")}
    assert seen == on_disk


@pytest.mark.parametrize(
    "name", ["nothing.mjs", "vendor/VENDOR.json", "..%2f..%2fpyproject.toml", "vendor/../api.mjs%00"]
)
def test_other_files_are_not_there(client: TestClient, name: str) -> None:
    assert client.get(f"/ui/{name}").status_code == 404


def test_what_others_wrote_is_as_they_published_it() -> None:
    listed = json.loads((UI / "vendor" / "VENDOR.json").read_text())
    assert {path.name for path in (UI / "vendor").glob("*.mjs")} == set(listed)
    for name, entry in listed.items():
        assert hashlib.sha256((UI / "vendor" / name).read_bytes()).hexdigest() == entry["sha256"]


# In a browser.


@dataclass
class Site:
    url: str
    page: Any
    said: list[str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    needs("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server on a thread."""
    app, port = create_app(settings_in(tmp_path_factory.mktemp("site"))), free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    app.state.services.end_streams()
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive()


@pytest.fixture
def site(browser: Any, address: str) -> Iterator[Site]:
    """A page whose complaints and foreign requests are kept."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: request.url.startswith((address, "data:")) or said.append(request.url))
    yield Site(address, page, said)
    page.close()


def violations(page: Any) -> list[str]:
    """What axe finds against WCAG 2.2 AA."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found.response["violations"]]


def generate(site: Site, prompt: str) -> None:
    page = site.page
    page.goto(f"{site.url}/ui/")
    page.get_by_role("heading", name=re.compile("make one|first clip")).wait_for()
    page.get_by_label("Prompt").fill(prompt)
    for label, value in (("Seconds", "2"), ("Frames/s", "8"), ("Width", "64"), ("Height", "48")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Generate", exact=True).click()
    page.get_by_role("heading", name=prompt).wait_for()


@pytest.mark.system
def test_a_window_is_marked_regenerated_compared_and_kept_by_keys_alone(site: Site) -> None:
    generate(site, "a street <b>at</b> noon")
    page = site.page
    page.get_by_text("frame 0 of 16").wait_for()
    page.locator("body").press("L")  # ten frames on
    page.get_by_text("frame 10 of 16").wait_for()
    page.locator("body").press("]")
    for _ in range(4):
        page.locator("body").press("ArrowLeft")
    page.locator("body").press("[")
    page.get_by_text("5 of 16 frames").wait_for()
    start = page.get_by_role("slider", name="Window start")
    start.press("ArrowRight")
    assert start.get_attribute("aria-valuenow") == "7"
    assert start.get_attribute("aria-valuetext") == "frame 7, 0:00.875"
    page.get_by_label("From").fill("0.6")  # frame 5 is the first at or after 0.6 s of 8 a second
    page.get_by_label("From").press("Enter")
    page.get_by_text("6 of 16 frames").wait_for()
    page.get_by_label("Takes").fill("2")
    page.get_by_role("button", name="Regenerate 6 frames").press("Enter")
    page.get_by_role("heading", name="Takes of this window").wait_for()
    page.get_by_text("6 changed; 10 are the parent's own").wait_for()
    takes = page.locator(".take")
    assert takes.count() == 2
    for key, mode in (("2", "side"), ("5", "difference"), ("4", "blink"), ("3", "wipe")):
        page.locator("body").press(key)
        page.locator(f".stage.{mode}").wait_for()
    page.locator("body").press("y")
    page.locator(".take[aria-current] .keep[aria-pressed=true]").wait_for()
    page.locator(".take:not([aria-current]) .show").press("Enter")
    page.locator(".take[aria-current]", has_text="Seed 2").wait_for()
    page.locator(".stage.wipe").wait_for()  # as one left it
    page.locator("body").press("n")
    page.locator(".take[aria-current] .reject[aria-pressed=true]").wait_for()
    page.locator("body").press("u")
    page.locator(".take[aria-current] .reject[aria-pressed=false]").wait_for()
    assert page.locator(".keep[aria-pressed=true]").count() == 1
    page.reload()
    page.get_by_role("heading", name="Takes of this window").wait_for()
    assert site.said == []


@pytest.mark.system
def test_axe_finds_nothing_at_any_width_in_any_theme(site: Site) -> None:
    generate(site, "a harbour")
    page = site.page
    page.get_by_role("button", name="mark a window here").click()
    page.get_by_role("button", name=re.compile("Regenerate .* frames")).click()
    page.get_by_role("heading", name="What changed").wait_for()
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Table").first.click()
    page.get_by_role("button", name="Branch…").click()
    page.get_by_label("Said as").select_option("product_studio")
    page.get_by_label("Format").select_option("gif")
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.get_by_label("Theme").select_option(theme)
            assert violations(page) == [], (width, theme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    page.goto(f"{site.url}/ui/#")
    page.get_by_role("heading", name="make one").wait_for()
    assert violations(page) == []
    assert site.said == []


@pytest.mark.system
def test_dragging_marks_a_window_that_snaps_to_frames(site: Site) -> None:
    generate(site, "a meadow")
    page = site.page
    box = page.locator(".strip").bounding_box()
    at = lambda frame: box["x"] + box["width"] * frame / 16  # noqa: E731
    middle = box["y"] + box["height"] / 2

    def drag(start: float, end: float) -> None:
        page.mouse.move(at(start), middle)
        page.mouse.down()
        page.mouse.move(at((start + end) / 2), middle)
        page.mouse.move(at(end), middle)
        page.mouse.up()

    def edges() -> list[str]:
        return [
            page.get_by_role("slider", name=f"Window {edge}").get_attribute("aria-valuenow")
            for edge in ("start", "end")
        ]

    drag(4.2, 9.9)
    assert edges() == ["4", "10"]
    drag(7, 9)  # the window as it is, two frames on
    assert edges() == ["6", "12"]
    drag(12, 14)  # its end
    assert edges() == ["6", "14"]
    page.mouse.click(at(2.5), middle)
    page.get_by_text("frame 2 of 16").wait_for()
    page.get_by_role("textbox", name=re.compile("^To")).fill("99")
    assert page.get_by_role("textbox", name=re.compile("^To")).get_attribute("aria-invalid") == "true"
    page.get_by_role("textbox", name=re.compile("^To")).press("Enter")
    assert edges() == ["6", "14"]
    assert site.said == []


@pytest.mark.system
def test_both_players_go_on_together_and_an_error_is_said(site: Site) -> None:
    generate(site, "a river")
    page = site.page
    page.get_by_role("button", name="mark a window here").click()
    page.get_by_role("button", name=re.compile("Regenerate .* frames")).click()
    page.get_by_role("heading", name="What changed").wait_for()
    page.locator("body").press("2")
    page.get_by_role("button", name="Play").click()
    times = "[...document.querySelectorAll('video')].map((video) => video.currentTime)"
    until(lambda: min(page.evaluate(times)) > 0.5)
    one, other = page.evaluate(times)
    assert abs(one - other) < 0.25  # two frames
    page.goto(f"{site.url}/ui/#clip=0000000000000000")
    page.get_by_role("alert").wait_for()
    assert "404" in " ".join(site.said)  # the browser's own line, and nothing else
    assert len(site.said) == 2


@pytest.mark.system
def test_a_video_comes_in_gets_a_branch_and_goes_out_as_a_file(site: Site, tmp_path: Path) -> None:
    page = site.page
    video = write_video(tmp_path / "my film.mp4", counting(), [index * 40 for index in range(10)])
    (tmp_path / "no film.mp4").write_bytes(b"no video at all" * 100)
    page.goto(f"{site.url}/ui/")
    page.get_by_label("File").set_input_files(tmp_path / "no film.mp4")
    page.get_by_role("button", name="Import").click()
    page.get_by_text("no film.mp4 is no video file").wait_for()
    page.get_by_label("File").set_input_files(video)
    page.get_by_label("What it shows").fill("numbers")
    page.get_by_role("button", name="Import").click()
    page.get_by_role("heading", name="numbers").wait_for()
    page.get_by_role("button", name="Branch…").click()
    page.get_by_label("Name").fill("night cut")
    page.get_by_label("Name").press("Enter")
    page.get_by_text("Branch night cut points here.").wait_for()
    page.locator("body").press("u")
    page.get_by_text("Undone: branch night cut.").wait_for()
    page.get_by_label("Format").select_option("zip")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Download zip").click()
    with zipfile.ZipFile(fetched.value.path()) as stills:
        assert sum(name.endswith(".png") for name in stills.namelist()) == 10
    assert site.said == []


@pytest.mark.slow
@pytest.mark.system
def test_what_is_made_so_far_plays_while_the_rest_is_made(site: Site) -> None:
    page = site.page
    page.goto(f"{site.url}/ui/")
    page.get_by_label("Prompt").fill("a minute of waves")
    for label, value in (("Seconds", "60"), ("Width", "320"), ("Height", "192")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Generate", exact=True).click()
    plays = "document.querySelector('.live video')?.currentTime > 0.2"
    until(lambda: page.evaluate(plays))
    assert float(page.get_by_label("Progress").get_attribute("value")) < 1
    page.reload()  # who comes later sees it too
    until(lambda: page.evaluate(plays))
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("canceled").wait_for()
    page.locator(".live").wait_for(state="detached")
