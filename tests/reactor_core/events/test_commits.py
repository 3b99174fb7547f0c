from __future__ import annotations

from reactor_core.events.commits import CommitFigures


def test_what_was_committed_is_counted():
    figures = CommitFigures()
    figures.committed(3, 1, 0.0002)
    figures.committed(512, 0, 0.02)
    figures.failed += 1
    found = {sample.name: sample.value for sample in figures.samples({})}
    assert found["reactor_journal_commits"] == 2
    assert found["reactor_journal_rows"] == 515
    assert found["reactor_journal_duplicates"] == 1
    assert found["reactor_journal_failed"] == 1
    assert (found["reactor_journal_commit_rows"].count, found["reactor_journal_commit_rows"].total) == (2, 515)
    assert dict(found["reactor_journal_commit_seconds"].cumulative())[0.003] == 1


def test_what_waits_is_told_by_lane():
    samples = CommitFigures().samples({True: (1, 0.5), False: (7, 2.0)})
    waiting = {(sample.name, sample.labels["lane"]): sample.value for sample in samples if sample.labels}
    assert waiting == {
        ("reactor_journal_waiting", "1"): 1,
        ("reactor_journal_waiting", "2-4"): 7,
        ("reactor_journal_oldest_waiting_seconds", "1"): 0.5,
        ("reactor_journal_oldest_waiting_seconds", "2-4"): 2.0,
    }
