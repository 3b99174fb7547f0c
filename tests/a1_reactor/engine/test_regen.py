"""What a provider may do wrong in a regeneration, and what is left afterwards."""

from dataclasses import replace

import numpy as np
import pytest

from a1_reactor.providers.base import Capabilities
from a1_reactor.providers.mock import MockProvider
from a1_reactor.types import FrameQuantum, Window
from reactor_core.errors import ProviderError, SpecError


class Faulty(MockProvider):
    """A provider whose frames pass through a function on their way out."""

    def __init__(self, spoil):
        self.spoil = spoil

    def generate_frames(self, job):
        return (frame for _, frame in self.spoil(enumerate(super().generate_frames(job))))

    def regen_frames(self, job, base, windows):
        return self.spoil(super().regen_frames(job, base, windows))


def too_few(frames):
    yield from list(frames)[:-1]


def too_many(frames):
    for index, frame in frames:
        yield index, frame
        yield index, frame


def wrong_size(frames):
    for index, frame in frames:
        yield index, frame[:, :-2]


def gigantic(frames):
    for index, _ in frames:
        yield index, np.broadcast_to(np.uint8(0), (100_000, 100_000, 3))


def wrong_type(frames):
    for index, frame in frames:
        yield index, frame.astype(np.float64)


def dies(frames):
    yield next(iter(frames))
    raise ProviderError("the backend went away", retryable=True)


FAULTS = [too_few, too_many, wrong_size, gigantic, wrong_type, dies]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_generation_leaves_at_most_what_can_be_gone_on_with(engine, spec, fault):
    with pytest.raises(ProviderError) as refused:
        replace(engine, provider=Faulty(fault)).generate(spec())
    assert not list(engine.store.building.rglob("*.*"))
    assert not list(engine.store.cache.rglob("*.*"))
    assert bool(list(engine.config.workspace.rglob("*.png"))) == refused.value.retryable


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_regeneration_leaves_the_parent_alone(engine, spec, fault):
    parent = engine.generate(spec()).clip
    with pytest.raises(ProviderError):
        replace(engine, provider=Faulty(fault)).regen(spec(windows=(Window(8, 16),)), parent=parent)
    assert [path.name for path in engine.store.cache.iterdir()] == [parent.key]
    assert not list(engine.store.building.iterdir())
    for index in range(24):
        parent.check_frame_file(index)


def test_whatever_a_provider_returns_outside_the_window_is_dropped(engine, spec):
    def paints_everything(frames):
        made = dict(frames)
        for index in range(24):
            yield index, made.get(index, np.zeros((64, 96, 3), np.uint8))

    parent = engine.generate(spec()).clip
    child = replace(engine, provider=Faulty(paints_everything)).regen(spec(windows=(Window(8, 16),)), parent=parent)
    assert child.clip.manifest.frames[:8] == parent.manifest.frames[:8]
    assert child.clip.manifest.frames[16:] == parent.manifest.frames[16:]


def test_a_provider_is_not_asked_for_what_it_says_it_cannot_do(engine, spec):
    class Limited(MockProvider):
        capabilities = Capabilities(context_frames=0, size_multiple=32, max_frames=20)

    limited = replace(engine, provider=Limited())
    with pytest.raises(SpecError, match="at most 20"):
        limited.generate(spec())
    with pytest.raises(SpecError, match=r"width=98.*use 96 or 128"):
        limited.generate(spec(width=98, seconds="1/2"))


def test_one_that_fills_gaps_makes_no_clip_from_words(engine, spec):
    class Filler(MockProvider):
        capabilities = Capabilities(context_frames=1, modes=frozenset({"interpolate"}))

    with pytest.raises(SpecError, match="not a clip from words"):
        replace(engine, provider=Filler()).generate(spec())


def test_frames_asked_for_and_frames_used_are_reported(engine, spec):
    class Fours(MockProvider):
        capabilities = Capabilities(context_frames=1, quantum=FrameQuantum(step=4, offset=1))

    parent = engine.generate(spec()).clip
    child = replace(engine, provider=Fours()).regen(spec(windows=(Window(8, 10),)), parent=parent)
    assert child.report["regen"]["spans"] == [{"asked": [8, 10], "used": [7, 12]}]


def test_a_window_larger_than_memory_goes_over_the_disk(engine, spec, monkeypatch):
    parent = engine.generate(spec()).clip
    asked = spec(prompt="sharper", windows=(Window(4, 20),))
    held = engine.regen(asked, parent=parent).clip.manifest.frames
    # Three frames of 96x64 fit, thirteen do not.
    monkeypatch.setattr("a1_reactor.engine.regen._SPOOL_BYTES", 3 * 96 * 64 * 3)
    spooled = engine.regen(asked, parent=parent, force=True).clip
    assert spooled.manifest.frames == held
    assert sorted(path.name for path in spooled.path.iterdir()) == ["artifact.mp4", "job.json", "run"]
