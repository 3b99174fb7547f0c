"""Our figures as Prometheus reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from reactor_core.events.metrics import Histogram, Sample, by_name

__all__ = ["expose"]


class _Samples(Collector):
    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        for name, group in by_name(self._samples).items():
            yield _family(name, group)


def expose(samples: Iterable[Sample], accept: str) -> tuple[bytes, str]:
    """The figures in the format that the ``Accept`` header prefers, and that format's content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Samples(list(samples)))
    encode: Callable[[CollectorRegistry], bytes]
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _family(name: str, group: list[Sample]) -> Metric:
    first = group[0]
    labels = sorted({label for sample in group for label in sample.labels})
    family: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
    if first.kind == "histogram":
        family = HistogramMetricFamily(name, first.help, labels=labels)
    elif first.kind == "counter":
        family = CounterMetricFamily(name, first.help, labels=labels)
    else:
        family = GaugeMetricFamily(name, first.help, labels=labels)
    for sample in group:
        values = [sample.labels.get(label, "") for label in labels]
        if isinstance(family, HistogramMetricFamily):
            assert isinstance(sample.value, Histogram), "a sample of this kind holds the histogram itself"
            buckets = [(_bound(bound), float(count)) for bound, count in sample.value.cumulative()]
            family.add_metric(values, buckets, sample.value.total)
        else:
            assert not isinstance(sample.value, Histogram), "only samples of kind histogram hold one"
            family.add_metric(values, sample.value)
    return family


def _bound(bound: float) -> str:
    return "+Inf" if math.isinf(bound) else repr(bound)
