"""Read back with Prometheus' own parser."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_plain

from reactor_core.api.exposition import expose
from reactor_core.events.metrics import Histogram, Sample


def samples() -> list[Sample]:
    sizes = Histogram([1.0, 10.0])
    for size in (0.5, 1.0, 5.0, 50.0):
        sizes.observe(size)
    return [
        Sample("reactor_things", "counter", "Things.", 3.0, {"lane": "1"}),
        Sample("reactor_age_seconds", "gauge", "Age.", 1.5),
        Sample("reactor_things", "counter", "Things.", 4.0, {"lane": "2", "odd": 'quo"te\n'}),
        Sample("reactor_sizes", "histogram", "Sizes.", sizes),
    ]


def test_prometheus_reads_what_was_counted() -> None:
    body, content_type = expose(samples(), "")
    assert content_type.startswith("text/plain")
    found = {(s.name, *sorted(s.labels.items())): s.value for f in read_plain(body.decode()) for s in f.samples}
    assert found["reactor_things_total", ("lane", "1"), ("odd", "")] == 3
    assert found["reactor_things_total", ("lane", "2"), ("odd", 'quo"te\n')] == 4
    assert found["reactor_age_seconds",] == 1.5
    assert [found["reactor_sizes_bucket", ("le", le)] for le in ("1.0", "10.0", "+Inf")] == [2, 3, 4]
    assert found["reactor_sizes_sum",] == 56.5
    assert found["reactor_sizes_count",] == 4


def test_openmetrics_on_request() -> None:
    body, content_type = expose(samples(), "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    names = [family.name for family in read_openmetrics(body.decode())]
    assert names == ["reactor_things", "reactor_age_seconds", "reactor_sizes"]


def test_no_figures_are_an_empty_page() -> None:
    assert expose([], "")[0] == b""
