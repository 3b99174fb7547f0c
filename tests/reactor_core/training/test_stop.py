from __future__ import annotations

import signal
import threading

import pytest

from reactor_core.training.stop import stop_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_wish_and_not_an_exception(number: signal.Signals) -> None:
    with stop_signals() as stopped:
        assert stopped() is None
        signal.raise_signal(number)
        assert stopped() == number.name


def test_a_second_ctrl_c_ends_the_block_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), stop_signals():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_the_first_signal_is_the_one_that_is_named() -> None:
    with stop_signals() as stopped:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert stopped() == "SIGINT"


def test_the_handlers_of_before_are_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_signals():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_outside_the_main_thread_nothing_is_caught_and_nothing_breaks() -> None:
    seen: list[object] = []

    def work() -> None:
        with stop_signals() as stopped:
            seen.append(stopped())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None]
