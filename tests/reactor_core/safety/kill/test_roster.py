"""What a station has enlisted, and what of it was ended."""

from __future__ import annotations

import signal
from collections.abc import Callable
from subprocess import Popen

from tests.reactor_core.safety.kill.conftest import gone

from reactor_core.safety.kill import roster as roster_module
from reactor_core.safety.kill import wire
from reactor_core.safety.kill.leases import Action
from reactor_core.safety.kill.processes import Member, find_member
from reactor_core.safety.kill.roster import Roster

Start = Callable[..., Popen[bytes]]


def action(pid: int, category: int = 0) -> Action:
    return Action(Member(pid, 1, 0, 0, 5), category, f"action {pid}")


def test_the_answer_reaches_who_enlisted_it() -> None:
    roster = Roster()
    first, second = roster.add(action(3)), roster.add(action(4))
    roster.answer(4, True)
    roster.answer(5, True)  # nobody asked
    assert not first.done()
    assert second.result(0)


def test_what_was_dropped_is_not_stopped() -> None:
    roster = Roster()
    roster.add(action(3))
    assert roster.drop(3)
    assert not roster.drop(3)
    roster.stop_groups()
    assert not roster.stopped(3)


def test_groups_of_category_0_die_and_all_count_as_stopped(start: Start) -> None:
    roster = Roster()
    hard, soft = start("sleep", "600"), start("sleep", "600")
    for process, category in ((hard, 0), (soft, 1)):
        member = find_member(process.pid)
        assert member is not None
        roster.add(Action(member, category, "dig"))
    assert roster.stop_groups() == (hard.pid,)
    assert hard.wait() == -signal.SIGKILL
    assert not gone(soft.pid)
    assert roster.stopped(hard.pid)
    assert roster.stopped(soft.pid)


def test_another_process_with_the_same_number_lives(start: Start) -> None:
    process = start("sleep", "600")
    now = find_member(process.pid)
    assert now is not None
    roster = Roster()
    roster.add(Action(Member(now.pid, now.parent, now.group, now.session, now.born - 1), 0, "long gone"))
    roster.stop_groups()
    assert not gone(process.pid)


def test_a_lost_watcher_gives_back_what_acts_and_who_waits() -> None:
    roster = Roster()
    answered, waiting = roster.add(action(3)), roster.add(action(4))
    roster.answer(3, False)
    actions, answers = roster.lose()
    assert [each.member.pid for each in actions] == [3, 4]
    assert answers == [waiting]
    assert roster.stopped(4)
    answers[0].set_exception(wire.Lost("gone"))
    assert answered.result(0) is False


def test_a_process_that_is_enlisted_again_was_not_stopped() -> None:
    roster = Roster()
    roster.note_stopped([3])
    roster.add(action(3))
    assert not roster.stopped(3)


def test_old_ends_are_forgotten() -> None:
    roster = Roster()
    roster.note_stopped(range(roster_module.REMEMBERED + 1))
    assert not roster.stopped(0)
    assert roster.stopped(roster_module.REMEMBERED)
