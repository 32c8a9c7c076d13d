"""KPIs as Prometheus gauges: a metric for each KPI of the catalogue, a series for each entity, and not more than Prometheus can bear."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.contracts.outputs import Snapshot, entity_id, entity_kind
from streams.kpi.catalog import KPIS

#: What a metric of a KPI begins with, and the labels that all of them have. ``part``: of which contacts only, such as ``vip``; else empty.
PREFIX, LABELS = "deskpulse_kpi_", ("kind", "id", "part", "window")
#: Metric of how many series were left out.
LEFT_OUT = "deskpulse_kpis_left_out"
#: So many figures at most: each is a series, and one of its n beside it.
MOST_FIGURES = 10_000


def exposition(snapshots: Iterable[Snapshot], window: str, kpis: Collection[str] = ()) -> bytes:
    """The figures of these entities in a window, as Prometheus reads them; ``kpis``: only these, all that have data where none is given.

    Entities come in the order given, each whole; what is beyond ``MOST_FIGURES`` is left out, and counted.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(snapshots, window, kpis))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, snapshots: Iterable[Snapshot], window: str, kpis: Collection[str]) -> None:
        self._snapshots, self._window, self._kpis = snapshots, window, kpis

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each KPI that has data, and one for its n."""
        values: dict[str, GaugeMetricFamily] = {}
        cases: dict[str, GaugeMetricFamily] = {}
        told = left_out = 0
        for snapshot in self._snapshots:
            for id, figure in snapshot.windows.get(self._window, {}).items():
                of, _, part = id.partition("~")
                kpi = KPIS.get(of)
                if kpi is None or figure.value is None or (self._kpis and of not in self._kpis):
                    continue
                if told >= MOST_FIGURES:
                    left_out += 1
                    continue
                told += 1
                labels = [entity_kind(snapshot.entity), entity_id(snapshot.entity), part, self._window]
                if of not in values:
                    name = f"{PREFIX}{of}"
                    values[of] = GaugeMetricFamily(name, f"{kpi.en} ({kpi.unit})", labels=LABELS)
                    cases[of] = GaugeMetricFamily(f"{name}_n", f"{kpi.en}: on how much it rests", labels=LABELS)
                values[of].add_metric(labels, figure.value)
                cases[of].add_metric(labels, figure.n)
        for of in KPIS:
            if of in values:
                yield values[of]
                yield cases[of]
        yield GaugeMetricFamily(LEFT_OUT, "Figures that were not told, as there are too many", value=left_out)
