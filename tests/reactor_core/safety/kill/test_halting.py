"""When a halt is complete, and how long it took."""

from __future__ import annotations

from reactor_core.safety.kill.halting import REPORT_SECONDS, Halting
from reactor_core.safety.kill.processes import Member, Stopped
from reactor_core.safety.kill.wire import Stepped


def halting() -> Halting:
    return Halting(3, "id", "cli", "why", "make", began=100.0, own=True, by="me")


def test_it_is_complete_when_every_station_has_said_that_its_steps_have_ended() -> None:
    halt = halting()
    halt.asked = {1, 2}
    halt.said(1, Stepped(3, 0, 0.0))
    assert not halt.complete
    halt.said(2, Stepped(3, 2, 0.0))
    assert not halt.complete
    assert halt.pending == 2
    halt.said(2, Stepped(3, 0, 100.4))
    assert halt.complete
    assert halt.response_time_ms(200.0) == 400.0


def test_the_time_is_that_of_the_last_side_effect_and_not_of_the_last_answer() -> None:
    halt = halting()
    halt.asked = {1}
    halt.stopped.add(Stopped({5}, set(), 100.012))
    halt.said(1, Stepped(3, 0, 99.0))
    assert halt.response_time_ms(100.2) == 12.0


def test_without_any_action_it_is_the_time_until_the_report() -> None:
    assert halting().response_time_ms(100.003) == 3.0


def test_the_report_waits_for_steps_but_not_for_ever() -> None:
    halt = halting()
    halt.stepping = {1: 1}
    assert not halt.due(100.0 + REPORT_SECONDS - 0.001)
    assert halt.due(100.0 + REPORT_SECONDS)
    halt.reported = True
    assert not halt.due(101.0)


def test_a_station_that_has_ended_is_not_waited_for() -> None:
    halt = halting()
    halt.asked, halt.stepping = {1}, {2: 1}
    halt.gone(1)
    halt.gone(2)
    assert halt.complete


def test_the_outcome_names_what_could_not_be_stopped() -> None:
    halt = halting()
    halt.stopped.add(Stopped({5, 6}, {9}, 100.01))
    halt.soft = {7: Member(7, 1, 7, 7, 1)}
    outcome = halt.outcome(100.02)
    assert (outcome.stopped, outcome.survivors, outcome.steps_pending) == (2, (9,), 1)
    assert halt.facts(100.02)["survivors"] == [9]
