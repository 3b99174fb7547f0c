from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from a1_reactor.engine.asking import Asking, Expense
from a1_reactor.providers.base import Capabilities
from a1_reactor.providers.mock import MockProvider
from a1_reactor.providers.price import Price
from a1_reactor.storage.answers import AnswerStore
from a1_reactor.types import Window
from reactor_core.errors import ProviderError

WINDOWS = (Window(2, 5), Window(8, 10))


class Model(MockProvider):
    """Notes what it is asked for, and may end after some frames."""

    def __init__(self, **can):
        self.capabilities = replace(MockProvider.capabilities, price=None, **can)
        self.asked = []
        self.ends_after = None

    def _given(self, frames):
        for number, item in enumerate(frames):
            if number == self.ends_after:
                raise ProviderError("the model is gone", retryable=True)
            yield item

    def generate_frames(self, job):
        self.asked.append("clip")
        return self._given(super().generate_frames(job))

    def regen_frames(self, job, base, windows):
        self.asked.append([(window.start, window.stop) for window in windows])
        return self._given(super().regen_frames(job, base, windows))

    def frames_at(self, job, base, windows, indices):
        self.asked.append(list(indices))
        return self._given(super().frames_at(job, base, windows, indices))


class Base:
    """A clip that was never made: the mock looks at its origin alone."""

    def __init__(self, spec):
        self.origin = spec


@pytest.fixture
def job(spec):
    return spec(seconds="1/2", width=32, height=32)


@pytest.fixture
def asking(tmp_path, job):
    """Like a new process each time."""

    def make(model, spec=job):
        answer = AnswerStore(tmp_path / "answers").open("k", width=32, height=32)
        return Asking(model, spec, answer)

    return make


def clip(asking, folder=None, told=lambda *_: None):
    """Draw the clip as the engine does."""
    from a1_reactor.media.frames import pixel_hash
    from a1_reactor.media.png import encode_png

    frames = []
    for index, frame in enumerate(asking.clip(told)):
        if folder is not None:
            path = folder / f"{index}.png"
            path.write_bytes(encode_png(frame))
            asking.stored(index, pixel_hash(frame), path)
            path.unlink()
        frames.append(frame.copy())
    return frames


def windows(asking, job):
    found = {}
    for index, frame in asking.windows(Base(job), WINDOWS):
        asking.received(index, frame)
        found[index] = frame.copy()
    return found


def equal(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_what_makes_any_frame_is_asked_for_the_rest_alone(asking, job, tmp_path):
    model = Model()
    model.ends_after = 5
    with pytest.raises(ProviderError):
        clip(asking(model), tmp_path)
    model.ends_after = None
    second = asking(model)
    assert equal(clip(second, tmp_path), list(MockProvider().generate_frames(job)))
    assert model.asked == ["clip", [5, 6, 7, 8, 9, 10, 11]]
    assert second.notes == ("went on from an earlier attempt: 5 of its frames were there",)
    assert (second.expense().calls, second.expense().broken_off) == (1, 1)
    third = asking(model)
    assert equal(clip(third, tmp_path), list(MockProvider().generate_frames(job)))
    assert len(model.asked) == 2, "all of it was there"


def test_one_that_does_not_is_asked_again_where_its_answer_was_broken_off_and_not_where_it_was_whole(asking, job):
    model = Model(any_frame=False)
    model.ends_after = 5
    with pytest.raises(ProviderError):
        clip(asking(model))
    model.ends_after = None
    second, told = asking(model), []
    assert equal(clip(second, told=lambda *what: told.append(what)), list(MockProvider().generate_frames(job)))
    assert told == [("receive", number, 12) for number in range(1, 13)]
    assert model.asked == ["clip", "clip"]
    assert second.notes == (
        "asked again for 5 frames of an earlier attempt, since provider 'mock' cannot begin in between",
    )
    # Killed after the answer was whole, at whatever frame.
    assert equal(clip(asking(model)), list(MockProvider().generate_frames(job)))
    assert len(model.asked) == 2


@pytest.mark.parametrize(
    ("can", "then"),
    [
        ({}, [[4], [8, 9]]),
        ({"any_frame": False}, [[(2, 5)], [(8, 10)]]),
        ({"any_frame": False, "windows_apart": False}, [[(2, 5), (8, 10)]]),
    ],
    ids=["any frame", "windows apart", "all at once"],
)
def test_a_window_that_was_broken_off(asking, job, can, then):
    model, spec = Model(**can), replace(job, windows=WINDOWS)
    model.ends_after = 2
    with pytest.raises(ProviderError):
        windows(asking(model, spec), job)
    model.ends_after, model.asked = None, []
    assert sorted(windows(asking(model, spec), job)) == [2, 3, 4, 8, 9]
    assert model.asked == then


@pytest.mark.parametrize(
    ("can", "then"),
    [
        ({}, [[9]]),
        ({"any_frame": False}, [[(8, 10)]]),
        ({"any_frame": False, "windows_apart": False}, [[(2, 5), (8, 10)]]),
    ],
    ids=["any frame", "windows apart", "all at once"],
)
def test_a_window_behind_one_that_is_whole(asking, job, can, then):
    model, spec = Model(**can), replace(job, windows=WINDOWS)
    drawn, first = asking(model, spec), []
    for index, frame in drawn.windows(Base(job), WINDOWS):
        drawn.received(index, frame)
        first.append(index)
        if index == 8:  # killed
            break
    model.asked = []
    found = windows(asking(model, spec), job)
    wanted = dict(MockProvider().regen_frames(spec, Base(job), WINDOWS))
    assert sorted(found) == sorted(wanted)
    assert all(np.array_equal(found[index], wanted[index]) for index in wanted)
    assert model.asked == then
    model.asked = []
    assert sorted(windows(asking(model, spec), job)) == sorted(wanted)
    assert model.asked == []


def test_a_kept_frame_that_is_damaged_is_asked_for_again(asking, job, tmp_path):
    model = Model()
    clip(asking(model), tmp_path)
    [path] = (tmp_path / "answers" / "k").glob("000003.*")
    path.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    second = asking(model)
    assert equal(clip(second, tmp_path), list(MockProvider().generate_frames(job)))
    assert model.asked == ["clip", [3]]
    assert "damaged" in second.notes[-1]


@pytest.mark.parametrize(("given", "problem"), [([5, 7], "frame 7, which was not due"), ([5, 6], "left out frame 7")])
def test_one_that_gives_other_frames_than_it_was_asked_for_is_refused(asking, job, tmp_path, given, problem):
    class Wrong(Model):
        def frames_at(self, job, base, windows, indices):
            return MockProvider.frames_at(self, job, base, windows, given)

    model = Wrong()
    model.ends_after = 5
    with pytest.raises(ProviderError):
        clip(asking(model), tmp_path)
    with pytest.raises(ProviderError, match=problem):
        clip(asking(model), tmp_path)


def test_what_calls_cost_is_added_up_over_all_attempts(asking, job):
    model = Model(any_frame=False)
    model.capabilities = replace(model.capabilities, price=Price(per_call=Decimal("0.01"), per_second=Decimal("0.1")))
    spec = replace(job, windows=WINDOWS)
    drawn = asking(model, spec).windows(Base(job), WINDOWS)
    for _, (index, frame) in zip(range(4), drawn, strict=False):
        asking(model, spec).received(index, frame)
    drawn.close()
    second = asking(model, spec)
    windows(second, job)
    # Three frames, then two frames twice, of which the first call was broken off: 24 frames are a second.
    assert second.expense() == Expense(2, 1, Decimal("0.02") + Decimal(5) / Decimal(240))


class Telling(Model):
    """Its answers say what they cost."""

    def __init__(self, said):
        super().__init__(any_frame=False)
        self.said = said

    def generate_frames(self, job):
        yield from MockProvider.generate_frames(self, job)
        return self.said


def test_what_an_answer_says_counts_before_the_price_and_unknown_stays_unknown(asking, tmp_path):
    for said, price, usd in [
        (Decimal("0.3"), Price(per_call=Decimal(1)), 0.3),
        (None, Price(per_call=Decimal(1)), 1.0),
        (None, None, None),
        (Decimal(0), None, 0.0),
    ]:
        model = Telling(said)
        model.capabilities = replace(model.capabilities, price=price)
        asked = asking(model)
        clip(asked)
        assert asked.expense().to_json() == {"calls": 1, "broken_off": 0, "usd": usd}
        asked._answer.remove()


def test_a_call_of_unknown_price_makes_the_sum_unknown():
    lines = [{"begun": True}, {"ended": True, "usd": "1"}, {"begun": True}, {"ended": True, "usd": None}]
    assert Expense.of(lines) == Expense(2, 0, None)
    assert Expense.of([]) == Expense(0, 0, Decimal(0))
    assert Capabilities(context_frames=0).price is None
