"""Figures that cards score besides the KPIs: those that events will give one day, and those that people hand in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scoring.fields import NonEmpty, Part
from scoring.units import Unit
from scoring.yaml_documents import read
from streams.kpi.catalog import KPIS
from streams.kpi.spec import Direction

FigureId: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]

#: Figures that only make sense beside one of quality: shorter is not better by itself.
DURATIONS = frozenset({"average_talk_time", "average_handle_time", "average_hold_time", "average_wrap_up_time"})
#: Figures of the quality of service.
QUALITY = frozenset(
    {
        *("csat", "csat_mean", "nps", "csat_periodic", "followup_csat"),
        *("qa_score", "qa_pass_rate", "script_compliance_rate", "process_adherence_rate", "recording_review_score"),
    }
)


class FigureSpec(Part):
    """What a figure is: names, unit, which way is better, where it comes from; ``share`` of which two counts it is."""

    zh: NonEmpty
    en: NonEmpty
    unit: Unit
    better: Direction
    by: Literal["events", "people"]
    also: tuple[FigureId, ...] = ()
    share: tuple[FigureId, FigureId] | None = None


class _Figures(Part):
    format: Annotated[Literal["deskpulse/figures/1"], Field(alias="schema")]
    figures: dict[FigureId, FigureSpec]


@lru_cache(maxsize=1)
def known_figures() -> Mapping[str, FigureSpec]:
    """The figures that come with the program: id → what it is."""
    return read(files("scoring") / "cards" / "figures.yaml", "deskpulse/figures/1", _Figures, lambda _: ()).figures


def usual_unit(id: str | None) -> Unit:
    """The unit that a card states a KPI or figure in unless it says otherwise; percent for shares."""
    kpi = KPIS.get(id or "")
    if kpi is not None:
        return "pct" if kpi.unit == "ratio" else kpi.unit
    figure = known_figures().get(id or "")
    return figure.unit if figure else "points"
