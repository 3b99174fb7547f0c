"""One regenerated clip, gathered once for every page's test."""

import pytest

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.providers.mock import MockProvider
from a1_reactor.report.facts import gather
from a1_reactor.types import JobSpec, Window


@pytest.fixture(scope="package")
def made(tmp_path_factory):
    """Engine, parent and a clip with frames 6..17 regenerated, 96x96."""
    engine = ReactorEngine(ReactorConfig(workspace=tmp_path_factory.mktemp("report") / "a1r"), MockProvider())
    size = {"seconds": 1, "width": 96, "height": 96}
    parent = engine.generate(JobSpec(prompt="golden hour", **size)).clip
    spec = JobSpec(prompt='same scene, <b>sharper</b> & "new"', windows=(Window(6, 18),), **size)
    return engine, parent, engine.regen(spec, parent=parent).clip


@pytest.fixture(scope="package")
def facts(made):
    engine, _, clip = made
    return gather(engine.store, clip)


@pytest.fixture(scope="package")
def parent_facts(made):
    engine, parent, _ = made
    return gather(engine.store, parent)
