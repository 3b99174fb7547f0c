from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.servers.hub import HubHost
from tests.servers.peers import Meeting


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HubHost]:
    """A hub that listens on a free port."""
    host = HubHost(tmp_path / "hub")
    yield host
    host.close()


@pytest.fixture
async def meeting(host: HubHost) -> AsyncIterator[Meeting]:
    """Peers of that hub."""
    meeting = Meeting(host)
    yield meeting
    await meeting.close()
