import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from filelock import FileLock

from a1_reactor.media.frames import pixel_hash
from a1_reactor.media.png import encode_png
from a1_reactor.storage import answers
from a1_reactor.storage.answers import AnswerStore

KEY = "0123456789abcdef"


@pytest.fixture
def store(tmp_path):
    return AnswerStore(tmp_path / "answers")


@pytest.fixture
def answer(store):
    return store.open(KEY, width=24, height=16)


def frame(level):
    return np.full((16, 24, 3), level, np.uint8)


def again(answer):
    """What another process finds."""
    return AnswerStore(answer.folder.parent).open(KEY, width=24, height=16)


def test_another_process_reads_what_was_kept(answer):
    answer.keep(3, frame(30))
    answer.keep(0, frame(7))
    found = again(answer)
    assert (len(found), 3 in found, 1 in found) == (2, True, False)
    assert np.array_equal(found.read(3), frame(30))
    assert np.array_equal(found.read(0), frame(7))
    assert found.read(1) is None


def test_what_exceeds_the_room_is_compressed_and_the_same(answer, monkeypatch):
    monkeypatch.setattr(answers, "_RAW_BYTES", 2 * frame(0).nbytes)
    large = again(answer)
    for index in range(4):
        large.keep(index, frame(index))
    assert sorted(path.suffix for path in answer.folder.iterdir()) == [".png", ".png", ".raw", ".raw"]
    found = again(answer)
    assert all(np.array_equal(found.read(index), frame(index)) for index in range(4))


def test_a_file_is_kept_by_one_more_name(answer, tmp_path):
    file = tmp_path / "000005.png"
    file.write_bytes(encode_png(frame(5)))
    answer.keep_file(5, pixel_hash(frame(5)), file)
    assert file.stat().st_nlink == 2
    file.unlink()
    assert np.array_equal(again(answer).read(5), frame(5))


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:50], lambda data: b"\xff" + data[1:]])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_damaged_frame_is_forgotten(answer, tmp_path, damage, compressed):
    if compressed:
        (tmp_path / "x.png").write_bytes(encode_png(frame(1)))
        answer.keep_file(1, pixel_hash(frame(1)), tmp_path / "x.png")
    else:
        answer.keep(1, frame(1))
    [path] = answer.folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    found = again(answer)
    assert 1 in found
    assert found.read(1) is None
    assert (1 in found, list(answer.folder.iterdir())) == (False, [])


def test_a_frame_that_comes_again_replaces_the_first(answer):
    answer.keep(1, frame(1))
    answer.keep(1, frame(2))
    assert np.array_equal(again(answer).read(1), frame(2))
    assert len(list(answer.folder.iterdir())) == 1


def test_lines_about_calls_outlive_frames_and_a_line_that_was_cut_off(answer):
    assert answer.calls() == []
    answer.add_call({"begun": True})
    answer.keep(0, frame(0))
    answer.forget([0])
    with (answer.folder / "calls.jsonl").open("ab") as stream:
        stream.write(b'{"ended": tr')
    assert again(answer).calls() == [{"begun": True}]


def test_it_goes_when_the_clip_is_finished_or_made_again_by_force(store, answer):
    answer.keep(0, frame(0))
    answer.finish()
    assert not answer.folder.exists()
    answer.keep(0, frame(0))
    assert len(store.open(KEY, width=24, height=16, force=True)) == 0
    assert not answer.folder.exists()


def test_what_lasts_goes_with_its_owner_alone(tmp_path):
    store = AnswerStore(tmp_path / "mine", lasting=True)
    store.open(KEY, width=24, height=16).keep(0, frame(0))
    answer = store.open(KEY, width=24, height=16, force=True)
    answer.finish()
    assert np.array_equal(store.open(KEY, width=24, height=16).read(0), frame(0))


def test_the_sweep_takes_what_is_finished_or_old_and_nothing_that_is_held(store, tmp_path):
    now = datetime.now(UTC)
    for key in ("finished", "old", "held", "young"):
        store.open(key, width=24, height=16).keep(0, frame(0))
    for key in ("old", "held"):
        os.utime(store.folder / key, (0, 0))

    def lock(key):
        return FileLock(tmp_path / f"{key}.lock")

    def sweep(**more):
        return store.sweep(lock, finished=lambda key: key == "finished", before=now - timedelta(days=7), **more)

    with lock("held"):
        assert sweep(dry_run=True) == ["finished", "old"]
        assert len(list(store.folder.iterdir())) == 4
        assert sweep() == ["finished", "old"]
    assert sorted(path.name for path in store.folder.iterdir()) == ["held", "young"]
    assert AnswerStore(tmp_path / "none").sweep(lock, finished=lambda key: True, before=now) == []
