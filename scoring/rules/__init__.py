"""Scoring rules: each a pure function from an item's exact inputs to points and the reason for them.

A rule holds the numbers that a card gives it and no formula of a KPI. A new type is a module here with its class, and an
entry in ``AnyRule`` and ``RULES``; the loader, the evaluation, the exports and the JSON Schema need no change for it.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from scoring.rules.bands import Band, Bands
from scoring.rules.base import Asks, Inputs, Objection, Op, Points, RefusedError, Rule, Setting
from scoring.rules.levels import Level, Levels
from scoring.rules.manual import Manual
from scoring.rules.per_unit import PerUnit
from scoring.rules.ratio import Ratio

__all__ = [
    "RULES",
    "AnyRule",
    "Asks",
    "Band",
    "Bands",
    "Inputs",
    "Level",
    "Levels",
    "Manual",
    "Objection",
    "Op",
    "PerUnit",
    "Points",
    "Ratio",
    "RefusedError",
    "Rule",
    "Setting",
]

#: A rule of any type, told apart by ``type``, so that errors speak of the one type that is meant.
AnyRule: TypeAlias = Annotated[Ratio | Bands | PerUnit | Levels | Manual, Field(discriminator="type")]

#: Rule types by the name that cards write.
RULES: dict[str, type[Rule]] = {
    "bands": Bands,
    "ratio": Ratio,
    "per_unit": PerUnit,
    "levels": Levels,
    "manual": Manual,
}
