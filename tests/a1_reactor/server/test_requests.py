from __future__ import annotations

from dataclasses import replace

import pytest

from a1_reactor.engine.importing import IMPORT
from a1_reactor.server.clips import ClipShelf
from a1_reactor.server.requests import clip_request
from a1_reactor.server.schemas import JobIn
from a1_reactor.types import Window
from reactor_core.errors import NotFound, SpecError


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, make_engine):
    folder = tmp_path_factory.mktemp("shelf")
    engine, spec = make_engine(folder)
    shelf = ClipShelf(folder, journal=folder / "reactor.db")
    made = engine.generate(spec(seconds="1/4", fps=12, width=32, height=48, style_preset="noir", negative_prompt=""))
    shelf.key = made.clip.key
    return shelf


NAMES = ("mock", "http", "http2")
ALLOW = ("127.0.0.1:9", "Frames.example:443")


def ask(shelf, **body):
    return clip_request(
        JobIn(**body), shelf, names=("mock", "http", "http2"), allow=("127.0.0.1:9", "Frames.example:443")
    )


def test_what_is_left_open_has_defaults(shelf):
    spec = ask(shelf, prompt="x").spec
    assert (spec.fps, spec.seconds, spec.width, spec.height, spec.seed, spec.provider) == (24, 2, 768, 768, 0, "mock")
    assert (spec.negative_prompt, spec.style_preset, spec.windows) == (None, None, ())


def test_or_is_as_in_the_parent(shelf):
    spec = ask(shelf, parent=shelf.key, windows=[{"start_frame": 1, "stop_frame": 2}]).spec
    assert (spec.fps, spec.frames, spec.width, spec.height) == (12, 3, 32, 48)
    assert (spec.prompt, spec.negative_prompt, spec.style_preset) == ("golden hour, handheld", "", "noir")
    assert spec.windows == (Window(1, 2),)


def test_windows_of_an_imported_file_are_made_by_the_default_provider(shelf, monkeypatch):
    old = shelf.open(shelf.key)
    imported = replace(old, job=replace(old.job, resolved=replace(old.job.resolved, provider=IMPORT)))
    monkeypatch.setattr(shelf, "open", lambda key: imported)
    assert ask(shelf, parent=shelf.key, windows=[["0", "1/12"]]).spec.provider == "mock"


def test_another_prompt_has_the_look_of_the_parents_unless_it_is_told_not_to(shelf):
    window = {"parent": shelf.key, "windows": [["0", "1/12"]]}
    spec = ask(shelf, prompt="rain", **window).spec
    assert (spec.prompt, spec.negative_prompt, spec.style_preset) == ("rain", None, "noir")
    assert ask(shelf, prompt="rain", style_preset="anime", **window).spec.style_preset == "anime"
    assert ask(shelf, prompt="rain", style_preset="none", **window).spec.style_preset is None
    assert ask(shelf, style_preset="none", **window).spec.style_preset is None
    assert ask(shelf, prompt="rain", style_preset="none").spec.style_preset is None


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ({"prompt_dsl": 'light:dusk subject:"red fox"'}, "red fox, dusk"),
        ({"template": {"name": "sale", "thing": "a kettle"}}, "a kettle on sale"),
    ],
)
def test_a_prompt_may_be_said_as_in_a_spec_file(shelf, way, words):
    (shelf.store.workspace / "presets.toml").write_text('[templates]\nsale = "{thing} on sale"\n')
    assert ask(shelf, **way).spec.prompt == words
    window = {"parent": shelf.key, "windows": [{"start_frame": 1, "stop_frame": 2}]}
    assert ask(shelf, **way, **window).spec.prompt == words
    with pytest.raises(SpecError, match="exactly one"):
        ask(shelf, prompt="x", **way)


def test_the_first_prototypes_name_for_windows_still_holds(shelf):
    request = ask(shelf, prompt="x", seconds=1, regen_windows=[[0.5, 0.75]], width=32, height=32)
    assert request.spec.windows == (Window(12, 18),)
    assert request.parent is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "prompt"),
        ({"prompt": "x", "windows": [[0, 1]], "regen_windows": [[0, 1]]}, "regen_windows"),
        ({"prompt": "x", "width": 33}, "width"),
        ({"prompt": "x", "seconds": 3600, "width": 1920, "height": 1080}, "more than one request"),
        ({"prompt": "x", "takes": 2}, "parent"),
        ({"prompt": "x", "http_endpoint": "http://127.0.0.1:9/x"}, "http_endpoint"),
        ({"prompt": "x", "provider": "http"}, "http_endpoint"),
        ({"prompt": "x", "provider": "http2", "http_endpoint": "http://127.0.0.1:10/x"}, "127.0.0.1:10 is not on"),
        ({"prompt": "x", "provider": "unheard"}, "unheard"),
        ({"prompt": "x", "windows": [[0, 1]], "mask": {"feather": 3}}, "mask"),
        ({"prompt": "x", "provider": "http", "http_endpoint": "http://127.0.0.1:10/x"}, "127.0.0.1:10 is not on"),
        ({"prompt": "x", "provider": "http", "http_endpoint": "http://frames.example/x"}, "frames.example:80 is not"),
        ({"prompt": "x", "provider": "http", "http_endpoint": "http://a:b@127.0.0.1:9/x"}, "credentials"),
        ({"prompt": "x", "provider": "http", "http_endpoint": "file:///etc/passwd"}, "no http"),
        ({"prompt": "x", "provider": "http", "http_endpoint": "http://[::1"}, "http_endpoint"),
    ],
)
def test_what_cannot_be_used_is_named(shelf, body, named):
    with pytest.raises(SpecError, match=named):
        ask(shelf, **body)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9/frames", "https://FRAMES.example/v1"])
def test_what_the_operator_has_listed_may_be_called(shelf, endpoint):
    assert ask(shelf, prompt="x", provider="http", http_endpoint=endpoint).endpoint == endpoint


def test_a_mask_is_read(shelf):
    spec = ask(shelf, prompt="x", windows=[[0, 1]], mask={"rectangle": [8, 8, 64, 64], "feather": 4}).spec
    assert (spec.mask.rectangle, spec.mask.feather) == ((8, 8, 64, 64), 4)


def test_an_unknown_parent(shelf):
    with pytest.raises(NotFound):
        ask(shelf, parent="f" * 16, windows=[[0, 1]])
