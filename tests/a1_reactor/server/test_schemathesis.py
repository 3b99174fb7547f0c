"""Odd requests by the hundred, made from the API's own description: no 500, and no answer but those described.

schemathesis derives them from ``/openapi.json``. Nobody works on the jobs that come of it.
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from tests.a1_reactor.server.conftest import settings_in

from a1_reactor.server.api import create_app
from reactor_core.api.limits import ApiLimits

description = schemathesis.pytest.from_fixture("described")  # made when a test asks: it takes seconds


@pytest.fixture(scope="module")
def described(served):
    return schemathesis.openapi.from_dict(served.openapi())


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reactor_core.jobs.supervisor.Supervisor.start", lambda self: None)
        limits = ApiLimits(requests_per_minute=1_000_000, refusals_per_minute=1_000_000)
        from starlette.testclient import TestClient

        app = create_app(settings_in(tmp_path_factory.mktemp("served")), limits=limits)
        with TestClient(app, base_url="http://localhost:8080", client=("127.0.0.1", 1)):
            yield app


@pytest.mark.slow
@description.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_one_that_is_described(case: schemathesis.Case, served) -> None:
    # What is right by itself can be wrong together, and numbers arrive as texts, which is fine.
    case.call_and_validate(
        app=served,
        base_url="http://localhost:8080",
        excluded_checks=[positive_data_acceptance, negative_data_rejection],
    )
