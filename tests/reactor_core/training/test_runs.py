from __future__ import annotations

from pathlib import Path

import pytest

from reactor_core.errors import CheckpointInvalid, ConfigError, TrainingError
from reactor_core.training.card import CARD
from reactor_core.training.runs import Resume, open_run

A, B = {"dataset": "a", "configuration": "c"}, {"dataset": "b", "configuration": "c"}


def open_and_leave(
    runs: Path,
    folder: Path | None = None,
    *,
    identity: dict[str, str] = A,
    resume: Resume = "auto",
    finish: bool = False,
) -> tuple[str, bool]:
    with open_run(folder, runs, identity=identity, facts={}, resume=resume) as run:
        (run.path / "loss.jsonl").write_text("")
        if finish:
            (run.path / CARD).write_text("{}")
        return run.run_id, run.resumed


def test_an_unfinished_run_is_found_again(tmp_path: Path) -> None:
    first, _ = open_and_leave(tmp_path)
    assert open_and_leave(tmp_path) == (first, True)


def test_a_finished_run_is_left_alone(tmp_path: Path) -> None:
    first, _ = open_and_leave(tmp_path, finish=True)
    second, resumed = open_and_leave(tmp_path)
    assert (second != first, resumed) == (True, False)


def test_other_data_is_another_run(tmp_path: Path) -> None:
    first, _ = open_and_leave(tmp_path)
    second, resumed = open_and_leave(tmp_path, identity=B)
    assert (second != first, resumed) == (True, False)


def test_resume_false_starts_over(tmp_path: Path) -> None:
    first, _ = open_and_leave(tmp_path)
    assert open_and_leave(tmp_path, resume=False)[0] != first


def test_resume_true_insists(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no unfinished run"):
        open_and_leave(tmp_path, resume=True)
    assert not list(tmp_path.glob("train-*"))


def test_a_run_that_another_process_works_on_is_not_shared(tmp_path: Path) -> None:
    with open_run(None, tmp_path, identity=A, facts={}, resume="auto") as run:
        assert open_and_leave(tmp_path)[0] != run.run_id


def test_a_named_folder_in_use_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    with open_run(folder, tmp_path, identity=A, facts={}, resume="auto"):
        with pytest.raises(TrainingError, match="another process") as caught:
            open_and_leave(tmp_path, folder)
        assert caught.value.retryable


def test_a_named_folder_goes_on(tmp_path: Path) -> None:
    first, _ = open_and_leave(tmp_path, tmp_path / "mine")
    assert open_and_leave(tmp_path, tmp_path / "mine") == (first, True)


def test_a_named_folder_of_other_data_says_what_changed(tmp_path: Path) -> None:
    open_and_leave(tmp_path, tmp_path / "mine")
    with pytest.raises(CheckpointInvalid, match="another dataset"):
        open_and_leave(tmp_path, tmp_path / "mine", identity=B)


def test_a_named_folder_with_a_finished_run_is_not_overwritten(tmp_path: Path) -> None:
    first, _ = open_and_leave(tmp_path, tmp_path / "mine", finish=True)
    with pytest.raises(ConfigError, match="finished run"):
        open_and_leave(tmp_path, tmp_path / "mine")
    second, resumed = open_and_leave(tmp_path, tmp_path / "mine", resume=False)
    assert (second != first, resumed) == (True, False)


def test_files_that_are_no_run_are_never_touched(tmp_path: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "thesis.tex").write_text("words")
    with pytest.raises(ConfigError, match="no run"):
        open_and_leave(tmp_path, folder, resume=False)
    assert (folder / "thesis.tex").read_text() == "words"
