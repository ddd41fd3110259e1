"""Families of metrics in Prometheus's text format."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString

from udist_plugin.http_api.middleware.families import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

    from udist_plugin.http_api.middleware.families import Family

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def expose(families: Iterable[Family]) -> bytes:
    """``families``, and what there is to say of this process: memory, processor time, descriptors."""
    registry = CollectorRegistry()
    registry.register(_Collector(families))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Collector:
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        return map(_metric, self._families)


def _metric(family: Family) -> Metric:
    if isinstance(family, Histogram):
        histogram = HistogramMetricFamily(family.name, family.text, labels=family.labels)
        bounds = [*(floatToGoString(bound).removesuffix(".0") for bound in family.bounds), "+Inf"]
        for labels, counts, total in family.values():
            histogram.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), total)
        return histogram
    assert isinstance(family, Counter)
    kind = GaugeMetricFamily if isinstance(family, Gauge) else CounterMetricFamily
    metric = kind(family.name, family.text, labels=family.labels)
    for labels, value in family.values():
        metric.add_metric(labels, value)
    return metric
