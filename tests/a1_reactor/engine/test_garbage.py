from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.a1_reactor.media.videos import counting, write_video

from a1_reactor.engine.garbage import collect_garbage
from a1_reactor.engine.importing import import_clip
from a1_reactor.engine.takes import TakeBook
from a1_reactor.storage.answers import AnswerStore
from a1_reactor.storage.sources import SourceStore, source_of
from reactor_core.errors import ArtifactCorrupt, NotFound


@pytest.fixture
def made(takes_copied):
    """A book, and three takes of a window."""
    return TakeBook(takes_copied.engine.store, actor="ann"), takes_copied.takes


def keys(book):
    return set(book.store.clip_keys())


def test_a_rejected_take_goes_and_all_else_stays_whole(made):
    book, takes = made
    book.keep(takes[0])
    book.reject(takes[1])
    before = keys(book)
    found = collect_garbage(book)
    assert found.clips.clips == (takes[1].key,)
    assert found.clips.frames == 4
    assert keys(book) == before - {takes[1].key}
    for key in keys(book):
        clip = book.open(key)
        for index in range(clip.frame_count):
            clip.check_frame_file(index)


def test_answers_for_clips_that_nobody_goes_on_with_go_after_a_week_and_finished_ones_at_once(made):
    book, takes = made
    answers = AnswerStore(book.store.workspace / "answers")
    for key in (takes[0].key, "0" * 16):
        answers.open(key, width=2, height=2).keep(0, np.zeros((2, 2, 3), np.uint8))
    assert collect_garbage(book, dry_run=True).answers == (takes[0].key,)
    assert collect_garbage(book).answers == (takes[0].key,)
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert collect_garbage(book, unfinished_before=later).to_json()["answers"] == ["0" * 16]
    assert list(answers.folder.iterdir()) == []


def test_a_dry_run_tells_the_same_and_deletes_nothing(made):
    book, takes = made
    book.reject(takes[1])
    before = keys(book)
    told = collect_garbage(book, dry_run=True)
    assert keys(book) == before
    assert collect_garbage(book).to_json() == {**told.to_json(), "dry_run": False}


def test_undecided_takes_go_from_an_age_on(made):
    book, takes = made
    book.keep(takes[0])
    now = datetime.now(UTC)
    assert collect_garbage(book, undecided_before=now - timedelta(hours=1)).clips.clips == ()
    gone = collect_garbage(book, undecided_before=now + timedelta(hours=1)).clips.clips
    assert set(gone) == {takes[1].key, takes[2].key}


def test_what_was_deleted_cannot_be_kept_any_more(made):
    book, takes = made
    book.reject(takes[1])
    collect_garbage(book)
    with pytest.raises(NotFound, match="has been deleted"):
        book.keep(takes[1])
    with pytest.raises(NotFound, match="has been deleted"):
        replace(book, actor="ben").branch("alt", takes[1])


def test_where_the_choices_cannot_be_read_nothing_is_deleted(made):
    book, takes = made
    book.reject(takes[1])
    with book.log.path.open("ab") as stream:
        stream.write(b"what?\n")
    before = keys(book)
    with pytest.raises(ArtifactCorrupt, match=r"takes\.jsonl line 2"):
        collect_garbage(book)
    assert keys(book) == before


def test_an_imported_file_goes_with_the_last_clip_that_came_from_it(engine, tmp_path):
    clip = import_clip(engine, write_video(tmp_path / "a.mp4", counting(), [0, 40, 80])).clip
    book = TakeBook(engine.store, actor="ann")
    assert collect_garbage(book).sources == ()
    book.reject(clip)
    assert collect_garbage(book).sources == (source_of(clip.job),)
    assert list(SourceStore(engine.config.workspace).folder.iterdir()) == []
