from hypothesis import given, settings
from hypothesis import strategies as st

from a1_reactor.storage.choices import TakeState, last_choice
from reactor_core.events.event import new_event


def choice(action, clip="", actor="ann", **data):
    return new_event("user", "feedback", {"action": action, "clip": clip, "actor": actor, **data})[0]


def undo(event, actor="ann"):
    return choice("undo", actor=actor, retracts=event.event_id)


def verdicts(*events):
    return {clip: verdict.kept for clip, verdict in TakeState.of(events).verdicts.items()}


def test_the_last_word_about_a_clip_holds():
    assert verdicts(choice("keep", "a"), choice("reject", "b"), choice("reject", "a")) == {"a": False, "b": False}


def test_a_kept_take_goes_onto_its_branch():
    state = TakeState.of([choice("keep", "a", branch="main"), choice("branch", "b", branch="alt")])
    assert state.branches == {"main": "a", "alt": "b"}


def test_an_undone_choice_never_was():
    first, second = choice("keep", "a", branch="main"), choice("keep", "b", branch="main")
    state = TakeState.of([first, second, undo(second)])
    assert (dict(state.branches), list(state.verdicts), state.roots) == ({"main": "a"}, ["a"], {"a"})


def test_former_heads_stay_roots_because_an_undo_brings_them_back():
    events = [choice("keep", "a", branch="main"), choice("reject", "a"), choice("branch", "b", branch="main")]
    assert TakeState.of(events).roots == {"a", "b"}


def test_a_rejected_clip_is_no_root():
    assert TakeState.of([choice("reject", "a"), choice("prefer", "b")]).roots == set()


def test_the_last_choice_is_ones_own_and_still_stands():
    mine, theirs, also = choice("keep", "a"), choice("keep", "b", actor="ben"), choice("prefer", "a")
    assert last_choice([mine, theirs, also], "ann") == also
    assert last_choice([mine, theirs, also, undo(also)], "ann") == mine
    assert last_choice([mine, theirs, also, undo(also), undo(mine)], "ann") is None


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["keep", "reject", "branch"]), st.sampled_from("abc"))), st.integers(0, 20))
def test_undoing_the_last_choices_one_by_one_leads_back_through_every_state(said, undone):
    events = [choice(action, clip, branch="main") for action, clip in said]
    kept = events[: max(0, len(events) - undone)]
    for _ in range(len(events) - len(kept)):
        events.append(undo(last_choice(events, "ann")))
    before, now = TakeState.of(kept), TakeState.of(events)
    assert (before.verdicts, before.branches, before.roots) == (now.verdicts, now.branches, now.roots)
