from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from a1_reactor.engine.take_facts import take_reference
from a1_reactor.engine.takes import TakeBook, make_takes
from a1_reactor.providers.mock import MockProvider
from a1_reactor.types import Window
from reactor_core.data.preferences import preferences_of
from reactor_core.errors import NotFound, SpecError
from reactor_core.events.journal import Journal


@pytest.fixture(scope="module")
def made(copy_takes, tmp_path_factory):
    """An engine, a base clip and three takes of it, which tests choose among but never change."""
    copied = copy_takes(tmp_path_factory.mktemp("module") / "a1r")
    return copied.engine, copied.base, copied.takes, copied.asked


@pytest.fixture
def book(made):
    """Ann's book, with nothing chosen yet."""
    engine = made[0]
    log = TakeBook(engine.store, actor="ann").log
    log.path.unlink(missing_ok=True)
    return TakeBook(engine.store, actor="ann")


@pytest.fixture
def takes(made):
    return made[2]


def pairs(book, tmp_path):
    """The preferences that the journal gives after all choices were sent."""
    path = tmp_path / "reactor.db"
    book.publish(path)
    with Journal(path) as journal:
        return [(pair.chosen, pair.rejected, pair.people) for pair in preferences_of(journal.read()).pairs]


def test_takes_have_seeds_of_their_own_from_nought_on(takes):
    assert [clip.job.resolved.seed for clip in takes] == [0, 1, 2]
    assert len({clip.manifest.frames[6].pixels for clip in takes}) == 3


def test_asked_for_again_they_are_found(made):
    engine, base, _, asked = made
    assert all(result.reused for result in make_takes(engine, asked, parent=base, count=3))


@pytest.mark.parametrize("count", [0, 65])
def test_a_number_of_takes_that_nobody_looks_at_is_refused(made, count):
    engine, base, _, asked = made
    with pytest.raises(SpecError, match=r"outside 1\.\.64"):
        list(make_takes(engine, asked, parent=base, count=count))


def test_a_seed_behind_the_range_is_refused_before_the_first_take(made):
    engine, base, _, asked = made
    drawn = replace(engine, progress=lambda *step: pytest.fail(f"a take was begun: {step}"))
    with pytest.raises(SpecError, match="seed="):
        list(make_takes(drawn, replace(asked, seed=2**63 - 2), parent=base, count=3))


def test_a_provider_without_seeds_makes_one_take_at_a_time(made):
    engine, base, _, asked = made

    class Dice(MockProvider):
        capabilities = replace(MockProvider().capabilities, seed=False)

    with pytest.raises(SpecError, match="does not honour seeds"):
        list(make_takes(replace(engine, provider=Dice()), asked, parent=base, count=2))


def test_the_takes_of_a_clip_are_listed_in_the_order_of_their_making(made, book, takes):
    assert [take.clip.key for take in book.takes_of(made[1].key)] == [clip.key for clip in takes]
    assert [take.clip.key for take in book.siblings_of(takes[1])] == [clip.key for clip in takes]
    assert [take.clip.key for take in book.siblings_of(made[1])] == [made[1].key]


def test_a_kept_take_is_the_head_of_main_and_a_name_for_it(book, takes):
    book.keep(takes[1])
    take = book.take(takes[1])
    assert (take.verdict.kept, take.verdict.chooser, take.branches) == (True, "person", ("main",))
    assert book.open("main") == takes[1]


def test_said_twice_a_choice_is_one_event(book, takes):
    assert book.keep(takes[0]) == book.keep(takes[0])
    assert book.reject(takes[1]) == book.reject(takes[1])
    assert len(book.log.events()) == 2
    assert book.keep(takes[0], branch="alt") != book.keep(takes[0])


def test_undo_brings_back_the_former_head_and_the_former_verdict(book, takes):
    book.keep(takes[0])
    book.keep(takes[1])
    assert book.undo().data["clip"] == takes[1].key
    assert book.open("main") == takes[0]
    assert book.take(takes[1]).verdict is None


def test_undo_takes_back_ones_own_choices_only(book, takes):
    book.keep(takes[0])
    with pytest.raises(NotFound, match="ben"):
        replace(book, actor="ben").undo()
    book.undo()
    with pytest.raises(NotFound, match="ann"):
        book.undo()


def test_a_branch_goes_its_own_way(book, made, takes):
    book.keep(takes[0])
    book.branch("alt", made[1])
    book.keep(takes[2], branch="alt")
    assert (book.open("main").key, book.open("alt").key) == (takes[0].key, takes[2].key)
    book.undo()
    assert book.open("alt") == made[1]


@pytest.mark.parametrize("name", ["", " x", "a\nb", "0123456789abcdef", "x" * 81])
def test_a_name_that_cannot_be_told_from_something_else_is_no_branch(book, takes, name):
    with pytest.raises(SpecError, match="branch="):
        book.branch(name, takes[0])


# Preferences


def test_what_is_kept_is_preferred_to_what_is_rejected(book, takes, tmp_path):
    book.keep(takes[0])
    book.reject(takes[1])
    assert pairs(book, tmp_path) == [(take_reference(takes[0]), take_reference(takes[1]), ("ann",))]


def test_a_comparison_is_a_preference_by_itself(book, takes, tmp_path):
    book.prefer(takes[2], takes[1])
    assert pairs(book, tmp_path) == [(take_reference(takes[2]), take_reference(takes[1]), ("ann",))]
    assert book.take(takes[2]).verdict is None


def test_an_undone_choice_is_no_preference(book, takes, tmp_path):
    book.prefer(takes[2], takes[1])
    book.undo()
    assert pairs(book, tmp_path) == []


def test_a_metrics_choice_is_recorded_and_nothing_is_trained_on_it(book, takes, tmp_path):
    event = book.keep(takes[0], chooser="metric:seam")
    book.reject(takes[1])
    assert pairs(book, tmp_path) == []
    assert (event.data["chooser"], event.data["actor"]) == ("metric:seam", "ann")
    assert book.take(takes[0]).verdict.kept


def test_only_answers_to_one_question_are_compared(book, made, takes):
    with pytest.raises(SpecError, match="not takes of the same"):
        book.prefer(takes[0], made[1])
    with pytest.raises(SpecError, match="itself"):
        book.prefer(takes[0], takes[0])


def test_an_event_carries_all_that_is_known_of_the_take(book, takes):
    data = replace(book, usd_per_hour=1.0).keep(takes[0]).data
    assert set(data["take"]) >= {"clip", "parent", "windows", "prompt", "seed", "provider", "frames", "metrics", "cost"}
    assert (data["previous_head"], data["person"], data["kept"]) == (None, "ann", True)
    assert data["take"]["cost"]["usd"] > 0


# Garbage


def test_only_rejected_takes_are_disposable(book, takes):
    book.keep(takes[0])
    book.reject(takes[1])
    assert book.disposable() == {takes[1].key}


def test_undecided_takes_are_disposable_from_an_age_on(book, made, takes):
    now = datetime.now(UTC)
    book.keep(takes[0])
    assert book.disposable(undecided_before=now + timedelta(hours=1)) == {takes[1].key, takes[2].key}
    assert book.disposable(undecided_before=now - timedelta(hours=1)) == set()


def test_a_rejected_take_that_a_kept_one_was_made_from_stays(book, made, takes):
    engine, _, _, asked = made
    child = engine.regen(replace(asked, prompt="more", windows=(Window(5, 7),)), parent=takes[1]).clip
    book.reject(takes[1])
    book.keep(child)
    assert book.disposable() == set()
    book.reject(child)
    # The head of main is left alone until the branch moves on for good.
    assert child.key not in book.disposable()
