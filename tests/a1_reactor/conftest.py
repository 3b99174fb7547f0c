"""Small clips that every room's tests share."""

import json

import pytest
from hypothesis import settings

from a1_reactor.cli import main
from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.media.mp4 import EncoderOptions
from a1_reactor.providers.mock import MockProvider
from a1_reactor.types import JobSpec

# Machines are shared: how long an example takes says nothing about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

FAST = EncoderOptions(preset="ultrafast", crf=20)


def small_spec(**changes):
    """96x64 pixels, one second at 24 frames a second."""
    return JobSpec(**{"prompt": "golden hour, handheld", "seconds": 1, "width": 96, "height": 64, **changes})


@pytest.fixture
def spec():
    return small_spec


@pytest.fixture
def engine(tmp_path):
    return ReactorEngine(ReactorConfig(workspace=tmp_path / "a1r"), MockProvider(), encoder=FAST)


@pytest.fixture(scope="session")
def make_engine():
    """For fixtures that a whole module shares: (an engine in a folder, the function that makes small specs)."""

    def make(folder):
        return ReactorEngine(ReactorConfig(workspace=folder), MockProvider(), encoder=FAST), small_spec

    return make


@pytest.fixture
def a1(tmp_path, monkeypatch, capsys):
    """Run a command line in a workspace of its own; returns exit status, stdout and stderr."""
    monkeypatch.setenv("A1_REACTOR_WORKSPACE", str(tmp_path / "a1r"))
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "reactor"))

    def run(*words):
        status = main(list(words))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def demo(a1):
    """Make a clip of 96x64 pixels by command; returns what it printed."""

    def make(*more, prompt=("--prompt", "a fox"), seconds=("--seconds", "1")):
        status, out, err = a1("demo", *prompt, *seconds, "--width", "96", "--height", "64", "--json", *more)
        assert status == 0, err
        return json.loads(out)

    return make
