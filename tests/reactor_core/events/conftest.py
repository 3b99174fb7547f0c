from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reactor_core.events import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "reactor.db") as journal:
        yield journal
