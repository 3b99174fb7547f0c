from __future__ import annotations

import sys

import numpy as np
import pytest

from reactor_core.training.memory import peak_memory, reset_peak_memory

MIB = 1 << 20


def test_the_peak_counts_memory_that_is_freed_again() -> None:
    reset_peak_memory()
    before = peak_memory()
    block = np.ones(64 * MIB, dtype=np.uint8)
    del block
    assert peak_memory() >= before + 32 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can start a new peak")
def test_a_reset_forgets_an_earlier_peak() -> None:
    block = np.ones(256 * MIB, dtype=np.uint8)
    high = peak_memory()
    del block
    reset_peak_memory()
    assert peak_memory() <= high - 128 * MIB
