from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from a1_reactor.engine.locked import LockedClip
from a1_reactor.providers.base import spans_of
from a1_reactor.providers.mock import MockProvider
from a1_reactor.server.kept import KeptAnswers
from a1_reactor.types import Window


class Counted(MockProvider):
    """Counts its frames, and may end in the middle."""

    def __init__(self) -> None:
        self.made = 0
        self.breaks_at: int | None = None

    def _counted(self, frames) -> Iterator:
        for frame in frames:
            if self.made == self.breaks_at:
                raise RuntimeError("the model is gone")
            self.made += 1
            yield frame

    def generate_frames(self, job):
        return self._counted(super().generate_frames(job))

    def regen_frames(self, job, base, windows):
        return self._counted(super().regen_frames(job, base, windows))


@pytest.fixture
def model():
    return Counted()


@pytest.fixture
def kept(model, tmp_path):
    return KeptAnswers(model, tmp_path / "answers")


@pytest.fixture
def job(spec):
    return spec(seconds="1/4", width=32, height=32)


def test_a_whole_answer_is_given_again_without_asking(kept, model, job):
    first = list(kept.generate_frames(job))
    assert model.made == len(first) == job.frames
    again = list(KeptAnswers(model, kept._folder).generate_frames(job))
    assert model.made == job.frames
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_an_answer_that_was_broken_off_is_asked_for_again(kept, model, job):
    model.breaks_at = 3
    with pytest.raises(RuntimeError):
        list(kept.generate_frames(job))
    model.breaks_at = None
    assert len(list(kept.generate_frames(job))) == job.frames
    assert model.made == 3 + job.frames


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n and no more", None])
def test_a_damaged_answer_is_asked_for_again(kept, model, job, damage):
    list(kept.generate_frames(job))
    (place,) = kept._folder.iterdir()
    path = place / ("000002.png" if damage is not None else "answer.json")
    if damage is None:
        path.write_text("[[0, ")
    else:
        path.write_bytes(damage)
    list(kept.generate_frames(job))
    assert model.made == 2 * job.frames


def test_another_question_has_another_answer(kept, model, job, spec):
    list(kept.generate_frames(job))
    list(kept.generate_frames(spec(seconds="1/4", width=32, height=32, seed=1)))
    assert model.made == 2 * job.frames


def test_windows_of_the_same_clip_are_kept_and_of_another_clip_are_not(kept, model, engine, spec):
    window = (Window(2, 4),)
    clips = [engine.generate(spec(seconds="1/4", width=32, height=32, seed=seed)).clip for seed in (0, 1)]
    job = spec(seconds="1/4", width=32, height=32, windows=window)
    answers = []
    for clip in (clips[0], clips[0], clips[1]):
        base = LockedClip(clip, spans_of(window, job, kept.capabilities))
        answers.append(list(kept.regen_frames(job, base, window)))
    assert [index for index, _ in answers[0]] == [index for index, _ in answers[1]]
    assert len(list(kept._folder.iterdir())) == 2


def test_it_goes_by_the_name_of_the_provider(kept, model):
    assert (kept.name, kept.version, kept.identity()) == (model.name, model.version, model.identity())
    assert kept.capabilities == model.capabilities
