from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.hub import HubHost


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HubHost]:
    """A hub that listens on a free port."""
    host = HubHost(tmp_path / "hub")
    yield host
    host.close()
