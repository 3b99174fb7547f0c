from __future__ import annotations

import os
import queue
import signal
import socket
import threading
import time

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
    with stop_signals(print):
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_outside_the_main_thread_nothing_is_caught_and_nothing_breaks() -> None:
    seen: list[object] = []

    def work() -> None:
        with stop_signals(seen.append) as stopped:
            seen.append(stopped())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None]


def test_it_is_told_while_the_main_thread_is_inside_one_long_operation() -> None:
    import torch

    told: queue.Queue[tuple[str, float]] = queue.Queue()
    size = 512
    left = torch.randn(size, size)
    with stop_signals(lambda name: told.put((name, time.monotonic()))) as stopped:
        sent: list[float] = []

        def send() -> None:
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGTERM)

        timer = threading.Timer(0.05, send)
        timer.start()
        for power in range(12):  # one operation that takes long enough on any machine: no bytecode runs inside it
            begun = time.monotonic()
            torch.linalg.multi_dot([left] * 2 ** (power + 1))
            ended = time.monotonic()
            if sent:
                break
        timer.join()
        name, at = told.get(timeout=30)
        assert name == "SIGTERM"
        assert stopped() == "SIGTERM"
        assert begun < sent[0] < at < ended


def test_a_loop_that_listened_before_hears_of_it_as_well() -> None:
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno())
    told: queue.Queue[str] = queue.Queue()
    try:
        with stop_signals(told.put):
            signal.raise_signal(signal.SIGTERM)
            assert told.get(timeout=30) == "SIGTERM"
        assert reader.recv(1) == bytes([signal.SIGTERM])
    finally:
        assert signal.set_wakeup_fd(before) == writer.fileno()
        reader.close()
        writer.close()
