"""Odd requests by the hundred, made from the API's own description: no 500, and no answer but those described.

schemathesis derives them from ``/openapi.json``. Nobody works on the jobs that come of it.
"""

from __future__ import annotations

import threading

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from tests.a1_reactor.server.conftest import settings_in, until
from tests.reactor_core.api.serving import free_port

from a1_reactor.server.api import create_app
from reactor_core.api.limits import ApiLimits


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The application and its address."""
    monkeypatch.setattr("reactor_core.jobs.supervisor.Supervisor.start", lambda self: None)
    app = create_app(settings_in(tmp_path), limits=ApiLimits(requests_per_minute=1_000_000))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield app, f"http://127.0.0.1:{port}"
    app.state.services.end_streams()
    server.should_exit = True
    thread.join(30)


@pytest.mark.slow
def test_every_answer_is_one_that_is_described(served) -> None:
    import schemathesis  # seconds, for those who run this
    from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

    app, url = served
    tried = set()
    for found in schemathesis.openapi.from_dict(app.openapi()).get_all_operations():
        operation = found.ok()
        if operation.path.endswith("/events"):
            continue  # its answer does not end while the job waits

        @given(case=operation.as_strategy())
        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        def ask(case: schemathesis.Case) -> None:
            # What is right by itself can be wrong together, and numbers arrive as texts, which is fine.
            case.call_and_validate(base_url=url, excluded_checks=[positive_data_acceptance, negative_data_rejection])

        ask()
        tried.add(operation.label)
    assert len(tried) > 15
