import sys
from pathlib import Path

import numpy as np
import pytest

from a1_reactor.media import memory
from a1_reactor.media.memory import return_free_memory


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is read from /proc")
def test_room_between_small_blocks_is_handed_back():
    # Blocks below glibc's least threshold for mappings of their own, with small ones between that stay.
    small, large = [], []
    for _ in range(400):
        large.append(np.ones(100_000, np.uint8))
        small.append(bytes(3000))
    before = resident()
    large.clear()
    return_free_memory()
    assert before - resident() > 20_000_000
    assert len(small) == 400


def test_without_glibc_it_does_nothing(monkeypatch):
    monkeypatch.setattr(memory, "_malloc_trim", lambda: None)
    assert return_free_memory() is False
