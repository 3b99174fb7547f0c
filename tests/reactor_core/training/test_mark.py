from __future__ import annotations

from pathlib import Path

import pytest

from reactor_core.training.mark import NOTHING, Mark


@pytest.mark.parametrize("mark", [Mark(0), Mark(3), Mark(3, 2), Mark(123456789, 12345)])
def test_a_folder_is_named_after_its_mark(mark: Mark) -> None:
    assert Mark.of(Path("checkpoints") / mark.name) == mark


def test_later_marks_are_greater() -> None:
    marks = [NOTHING, Mark(0), Mark(0, 1), Mark(1), Mark(1, 9), Mark(1, 10), Mark(2)]
    assert sorted([*marks[3:], *marks[:3]]) == marks


def test_people_read_steps_and_parts() -> None:
    assert [str(Mark(3)), str(Mark(3, 2))] == ["step 3", "step 3 and 2 parts of the next"]


@pytest.mark.parametrize("name", ["step-3", "step-00000003-", "step-00000003-0002x", "best-00000003"])
def test_another_folder_has_none(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a checkpoint"):
        Mark.of(Path(name))
