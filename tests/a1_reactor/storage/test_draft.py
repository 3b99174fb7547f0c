import errno
import os

import numpy as np
import pytest

from a1_reactor.storage.store import ClipStore
from reactor_core.errors import StorageError, StorageFull

FRAME = np.zeros((64, 96, 3), np.uint8)


@pytest.fixture
def store(tmp_path):
    return ClipStore(tmp_path / "a1r")


def files(path):
    return [p for p in path.rglob("*") if p.is_file()]


def test_nothing_is_left_of_a_draft_that_is_not_committed(store):
    with store.draft("0" * 16) as draft:
        draft.add_frame(0, FRAME)
        assert files(store.workspace)
    assert not files(store.workspace)


def test_nothing_is_left_when_the_making_fails(store):
    with pytest.raises(KeyboardInterrupt), store.draft("0" * 16) as draft:
        draft.add_frame(0, FRAME)
        raise KeyboardInterrupt
    assert not files(store.workspace)


def test_what_a_dead_maker_left_behind_does_not_stay_in_the_new_clip(store):
    left = store.building / ("0" * 16) / "run" / "frames" / "000009.png"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    with store.draft("0" * 16) as draft:
        draft.add_frame(0, FRAME)
        assert not left.exists()


def test_a_full_disk_is_a_typed_error_that_leaves_nothing(store, monkeypatch):
    real, written = os.write, 0

    def full(descriptor, data):
        nonlocal written
        written += len(data)
        if written > 2000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)

    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageFull, match=r"000000\.png"), store.draft("0" * 16) as draft:
        draft.add_frame(0, noise)
    assert not files(store.workspace)


def test_a_frame_is_written_in_as_many_steps_as_the_system_wants(store, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:100]))
    with store.draft("0" * 16) as draft:
        draft.add_frame(0, FRAME)
        assert draft.frame_path(0).stat().st_size == draft.entry(0).size


def test_a_frame_cannot_be_added_twice(store):
    with store.draft("0" * 16) as draft:
        draft.add_frame(0, FRAME)
        with pytest.raises(StorageError, match="000000"):
            draft.add_frame(0, FRAME)
