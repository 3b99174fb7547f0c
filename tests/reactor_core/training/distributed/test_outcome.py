from __future__ import annotations

from pathlib import Path

from tests.reactor_core.training.test_result import RESULT

from reactor_core.errors import DatasetError, Interrupted, TrainingError
from reactor_core.training.distributed.outcome import error_from, error_note, read_outcome, write_outcome


def test_work_that_has_not_ended_has_no_outcome(tmp_path: Path) -> None:
    assert read_outcome(tmp_path) is None


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_outcome(tmp_path, RESULT)
    assert read_outcome(tmp_path) == RESULT


def test_an_error_keeps_its_type_and_its_words(tmp_path: Path) -> None:
    write_outcome(tmp_path, Interrupted("training stopped by SIGTERM", remedy="run it again"))
    found = read_outcome(tmp_path)
    assert type(found) is Interrupted
    assert (str(found), found.exit_code) == ("training stopped by SIGTERM (run it again)", Interrupted.exit_code)


def test_an_error_that_takes_more_than_words_keeps_its_exit_code(tmp_path: Path) -> None:
    error = DatasetError("no such field", path="rows.jsonl", line=3)
    write_outcome(tmp_path, error)
    found = read_outcome(tmp_path)
    assert type(found) is TrainingError
    assert (str(found), found.exit_code) == ("the run ended: rows.jsonl:3: no such field", DatasetError.exit_code)
    assert str(error_from(error_note(error), where="process 1 ended")).startswith("process 1 ended: rows.jsonl:3")
