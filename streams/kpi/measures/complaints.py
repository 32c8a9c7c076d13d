"""Measures of complaints."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

COMPLAINTS = (
    Measure("complaints", "n", "投诉", "complaints"),
    Measure("repeat_complaints", "n", "重复投诉", "complaints of a customer who had complained before"),
)
