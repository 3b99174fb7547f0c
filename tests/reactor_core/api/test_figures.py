from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from reactor_core.api.figures import Measure, RequestFigures
from reactor_core.events.metrics import Histogram


def test_answers_are_counted_with_their_time() -> None:
    figures = RequestFigures()
    for seconds in (0.002, 0.02):
        figures.answered("GET", "/health", 200, seconds)
    figures.answered("GET", "/health", 503, 2.0)
    found = {tuple(sorted(s.labels.items())): s.value for s in figures.samples()}
    assert found[("method", "GET"), ("route", "/health"), ("status", "200")] == 2
    assert found[("method", "GET"), ("route", "/health"), ("status", "503")] == 1
    seconds = found[("route", "/health"),]
    assert isinstance(seconds, Histogram)
    assert (seconds.count, round(seconds.total, 3)) == (3, 2.022)


def test_what_a_client_invents_makes_no_new_names() -> None:
    figures = RequestFigures()
    ticks = iter(range(1000))
    app = Starlette(middleware=[Middleware(Measure, figures=figures, clock=lambda: float(next(ticks)))])
    client = TestClient(app)
    for index in range(50):
        client.request(f"VERB{index}", f"/path/{index}")
    [counted] = [s for s in figures.samples() if s.kind == "counter"]
    assert counted.labels == {"method": "other", "route": "(none)", "status": "404"}
    assert counted.value == 50
