import apsw
import pytest

from reactor_core.errors import NotFound
from reactor_core.events.audit import verify_workspace
from reactor_core.integration import EventBridge, EventType


@pytest.fixture
def workspace(tmp_path):
    with EventBridge(workspace=tmp_path) as bridge:
        for epoch in range(5):
            bridge.publish_sync(EventType.TRAINING_PROGRESS, {"epoch": epoch})
    return tmp_path


def test_an_untouched_journal_verifies(workspace):
    report = verify_workspace(workspace)
    assert (report.ok, report.events, report.first_bad) == (True, 5, None)


def test_a_removed_row_is_found(workspace):
    connection = apsw.Connection(str(workspace / "reactor.db"))
    connection.execute("DELETE FROM events WHERE seq = 3")
    connection.close()
    report = verify_workspace(workspace)
    assert (report.ok, report.first_bad) == (False, 3)


def test_a_workspace_without_a_journal_is_not_given_one(tmp_path):
    with pytest.raises(NotFound, match=r"no journal at .*reactor\.db"):
        verify_workspace(tmp_path)
    assert list(tmp_path.iterdir()) == []
