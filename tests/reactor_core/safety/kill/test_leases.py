"""A lease holds, or is silent."""

from __future__ import annotations

from reactor_core.safety.kill.leases import Action, Lease, actions_of
from reactor_core.safety.kill.processes import Member


def lease(**given: object) -> Lease:
    return Lease(pid=7, name="agent", mark="m", seconds=1.0, heard=100.0, **given)  # type: ignore[arg-type]


def action(pid: int, category: int, says: str = "") -> Action:
    return Action(Member(pid, 1, pid, pid, 5), category, says)


def test_it_is_silent_from_its_deadline_on() -> None:
    assert not lease().silent(100.999)
    assert lease().silent(101.0)


def test_it_holds_while_a_step_runs_or_something_acts() -> None:
    assert not lease().holds
    assert lease(busy=True).holds
    assert lease(actions={3: action(3, 0)}).holds


def test_roots_are_those_of_one_category() -> None:
    given = lease(actions={3: action(3, 0), 4: action(4, 1)})
    assert [each.pid for each in given.roots(0)] == [3]
    assert [each.pid for each in given.roots(1)] == [4]


def test_what_goes_on_is_said_in_words() -> None:
    acting = lease(actions={3: action(3, 0, "make all"), 4: action(4, 0)})
    assert list(actions_of([acting])) == ["make all", "process 4 of agent 7"]
    assert list(actions_of([lease(busy=True, doing="click Save"), lease()])) == ["click Save"]
