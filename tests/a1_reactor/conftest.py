"""Small clips that every room's tests share."""

import json
import os
import shutil
from types import SimpleNamespace

import pytest

from a1_reactor.cli import main
from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.engine.takes import make_takes
from a1_reactor.media.mp4 import EncoderOptions
from a1_reactor.providers.mock import MockProvider
from a1_reactor.types import JobSpec, Window

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


@pytest.fixture(scope="session")
def takes_made(tmp_path_factory):
    """A workspace with a clip of half a second and three takes of its frames 4 to 7, as the command line makes them.

    Tests work on copies of it: see ``takes_copied``.
    """
    folder = tmp_path_factory.mktemp("takes") / "a1r"
    engine = ReactorEngine(ReactorConfig(workspace=folder), MockProvider())
    base = engine.generate(small_spec(prompt="a fox", seconds="1/2")).clip
    asked = small_spec(prompt="sharper", seconds="1/2", windows=(Window(4, 8),))
    takes = [result.clip.key for result in make_takes(engine, asked, parent=base, count=3)]
    return SimpleNamespace(folder=folder, base=base.key, takes=takes, asked=asked)


@pytest.fixture(scope="session")
def copy_takes(takes_made):
    """Copy the workspace of ``takes_made`` to a path, by links, since nothing in it is ever written to."""

    def copy(target):
        shutil.copytree(takes_made.folder, target, copy_function=os.link)
        engine = ReactorEngine(ReactorConfig(workspace=target), MockProvider())
        clips = [engine.store.open(key) for key in (takes_made.base, *takes_made.takes)]
        return SimpleNamespace(engine=engine, base=clips[0], takes=clips[1:], asked=takes_made.asked)

    return copy


@pytest.fixture
def takes_copied(copy_takes, tmp_path):
    """A test's own copy, where the ``a1`` commands look."""
    return copy_takes(tmp_path / "a1r")


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
