"""Odd requests by the hundred, made from the API's own description: no 500, and no answer but those described.

schemathesis derives them from ``/openapi.json``. The stream is left out, as its answer does not end.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from reactor_core.api.limits import ApiLimits
from reactor_core.api.server import create_app
from reactor_core.utils.settings import Settings

description = schemathesis.openapi.from_dict(create_app(Settings()).openapi()).exclude(path="/v1/events/stream")


@pytest.fixture
def url(serve_here: Callable[..., str]) -> str:
    return serve_here(ApiLimits(requests_per_minute=1_000_000))


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@description.parametrize()
@examples(8)
def test_every_answer_is_one_that_is_described(case: schemathesis.Case, url: str) -> None:
    # What is right by itself can be wrong together (a span and a time), which no description says.
    case.call_and_validate(base_url=url, excluded_checks=[positive_data_acceptance])


@pytest.mark.slow
@description.parametrize()
@examples(300)
def test_also_to_many_more(case: schemathesis.Case, url: str) -> None:
    # A number where a list of texts is described arrives as a text, which is fine.
    case.call_and_validate(base_url=url, excluded_checks=[positive_data_acceptance, negative_data_rejection])
