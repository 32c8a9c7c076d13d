"""How many false alarms a week people are ready to take: a budget for all rules together, by the kind of what they watch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from streams.contracts.outputs import EntityKind


class Budget(BaseModel):
    """How many alarms a week chance may make of all rules together, for everybody of a kind: `{queue: 2, agent: 0.5}`.

    ``overrun``: what `deskpulse alert check --chance` and `deskpulse alert try` do where chance makes more: `warn` says so, `refuse` ends
    with an error, too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    false_per_week: Annotated[dict[EntityKind, Annotated[float, Field(gt=0, le=10_000)]], Field(min_length=1)]
    overrun: Literal["warn", "refuse"] = "warn"
