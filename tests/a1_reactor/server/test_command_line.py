"""The lines are tried: each makes the very clips that the request asks for."""

from __future__ import annotations

import shlex

import pytest

from a1_reactor.cli import app
from a1_reactor.config import ReactorConfig
from a1_reactor.server.clip_job import ClipRequest
from a1_reactor.server.command_line import command_line, export_line
from a1_reactor.server.export_job import ExportRequest
from a1_reactor.types import JobSpec, Mask, Window

KEY = "0123456789abcdef"
WINDOW = (Window(2, 4),)
SMALL = {"prompt": "a 'quiet' street", "seconds": "1/4", "width": 32, "height": 32}


@pytest.mark.parametrize(
    "request_",
    [
        ClipRequest(spec=JobSpec(**SMALL, seed=7, style_preset="noir", negative_prompt="")),
        ClipRequest(spec=JobSpec(**SMALL, fps="24000/1001"), force=True),
        ClipRequest(spec=JobSpec(**SMALL, windows=WINDOW)),
        ClipRequest(spec=JobSpec(**SMALL, windows=WINDOW), parent=KEY),
        ClipRequest(spec=JobSpec(**SMALL, windows=WINDOW, mask=Mask(rectangle=(0, 0, 8, 8), feather=2)), parent=KEY),
        ClipRequest(spec=JobSpec(**SMALL, windows=WINDOW, seed=3), parent=KEY, takes=4),
        ClipRequest(spec=JobSpec(**SMALL, provider="http"), endpoint="http://127.0.0.1:9/x"),
    ],
)
def test_the_line_is_one_that_the_program_takes(request_):
    line = command_line(request_)
    words = shlex.split(line)
    assert words[0] == "a1-reactor"
    app.parse_args(words[1:], exit_on_error=False, print_error=False)


def test_the_line_makes_the_same_clip(engine, a1, tmp_path):
    spec = JobSpec(**SMALL, seed=7, style_preset="noir")
    status, out, err = a1(*shlex.split(command_line(ClipRequest(spec=spec)))[1:])
    assert status == 0, err
    from a1_reactor.engine.engine import ReactorEngine

    again = ReactorEngine(ReactorConfig(workspace=tmp_path / "a1r"), engine.provider).generate(spec)
    assert again.reused
    assert str(again.clip.key) in out


def test_no_line_says_what_only_a_provider_understands():
    assert command_line(ClipRequest(spec=JobSpec(**SMALL, options={"steps": 3}))) is None


@pytest.mark.parametrize("more", [{"format": "mp4", "mute": True}, {"format": "gif", "width": 320}])
def test_an_export_has_a_line_too(more):
    request = ExportRequest(clip=KEY, **more)
    words = shlex.split(export_line(request))[1:]
    command, bound, _ = app.parse_args(words, exit_on_error=False)
    assert command.__name__ == "export"
    assert {name: str(value) for name, value in bound.arguments.items() if name != "place"} == {
        "clip": KEY,
        "file": request.name,
        **{name: str(value) for name, value in more.items() if name != "format"},
    }
