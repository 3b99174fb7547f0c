from __future__ import annotations

import threading

import pytest

from reactor_core.errors import StorageFull
from reactor_core.training.shadow import Shadow

PATIENCE = 30.0


def test_a_notice_is_acted_on_by_another_thread_at_once() -> None:
    by: list[str] = []
    with Shadow(lambda: by.append(threading.current_thread().name)) as shadow:
        shadow.give_notice("SIGTERM")
        assert shadow.wait(PATIENCE)
        assert by == ["reactor-shadow"]
        assert shadow.reason == "SIGTERM"
        assert shadow.given_at is not None
        assert shadow.saved_at is not None
        assert shadow.saved_at >= shadow.given_at


def test_it_waits_while_the_state_moves() -> None:
    steps: list[str] = []
    with Shadow(lambda: steps.append("saved")) as shadow:
        with shadow.still():
            shadow.give_notice("preemption notice")
            assert not shadow.wait(0.05)
            steps.append("moved")
        assert shadow.wait(PATIENCE)
    assert steps == ["moved", "saved"]


def test_the_first_of_several_notices_counts() -> None:
    saved: list[int] = []
    with Shadow(lambda: saved.append(1)) as shadow:
        for reason in ("preemption notice", "SIGTERM", "SIGTERM"):
            shadow.give_notice(reason)
        assert shadow.wait(PATIENCE)
    assert (shadow.reason, saved) == ("preemption notice", [1])


def test_without_a_notice_nothing_is_saved() -> None:
    with Shadow(pytest.fail) as shadow:
        assert shadow.wait(0)
    assert (shadow.reason, shadow.saved_at) == (None, None)


def test_what_takes_long_does_not_hold_the_state() -> None:
    sending, sent = threading.Event(), threading.Event()

    def send() -> None:
        sending.set()
        assert sent.wait(PATIENCE)

    with Shadow(lambda: None, send) as shadow:
        shadow.give_notice("SIGTERM")
        assert sending.wait(PATIENCE)
        with shadow.still():  # would never get here
            sent.set()
    assert shadow.wait(0)


def test_a_disk_that_is_full_is_told_to_the_training_thread() -> None:
    def save() -> None:
        raise StorageFull("no space left")

    with Shadow(save) as shadow:
        shadow.give_notice("SIGTERM")
        assert shadow.wait(PATIENCE)
    assert isinstance(shadow.fault, StorageFull)
    assert shadow.saved_at is None
