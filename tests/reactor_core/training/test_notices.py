from __future__ import annotations

import json
from pathlib import Path

import pytest

from reactor_core.errors import StorageError
from reactor_core.training.mark import Mark
from reactor_core.training.notices import NOTICES, note_notice


def test_each_notice_is_a_line_and_no_time_is_negative(tmp_path: Path) -> None:
    for parts, stored in ((0, None), (3, -0.001)):
        note_notice(
            tmp_path, at="now", reason="SIGTERM", mark=Mark(7, parts), seconds_to_disk=0.2, seconds_to_store=stored
        )
    lines = [json.loads(line) for line in (tmp_path / NOTICES).read_text().splitlines()]
    expected = {"at": "now", "reason": "SIGTERM", "step": 7, "seconds_to_disk": 0.2}
    assert lines == [
        {**expected, "parts": 0, "seconds_to_store": None},
        {**expected, "parts": 3, "seconds_to_store": 0.0},
    ]


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="gone"):
        note_notice(tmp_path / "gone", at="now", reason=None, mark=Mark(1), seconds_to_disk=0.1, seconds_to_store=None)
