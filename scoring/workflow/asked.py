"""What is needed of people for a run that was prepared, from whom, and what of it is missing; by what the run was frozen with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from scoring.cards.model import Card
from scoring.cards.profile_calendar import in_force
from scoring.inputs.requirements import Need
from scoring.period import Period
from scoring.runs.snapshot import Materials
from scoring.store.inputs import Handed, handed
from scoring.store.panels import newest
from scoring.store.runs import RunRecord, materials_of, result_of
from scoring.workflow.gather import with_polled
from scoring.workflow.lifecycle import asked_of, lacking
from streams.contracts.outputs import RosterEntry


@dataclass(frozen=True)
class Asked:
    """``people``: who is scored; ``asked``, ``missing``: person → what is needed of people for them, and what of it is not there.
    ``given``: what was handed in; ``panels_open``: how many parties of several raters are not closed.
    """

    card: Card
    period: Period
    people: Mapping[str, RosterEntry | None]
    asked: Mapping[str, Sequence[Need]]
    missing: Mapping[str, Sequence[Need]]
    given: Handed
    panels_open: int

    def required(self) -> dict[str, list[Need]]:
        """Person → what is missing without which something of theirs is not scored."""
        found = {person: [need for need in own if need.required] for person, own in self.missing.items()}
        return {person: own for person, own in found.items() if own}


def run_needs(connection: Connection, run: RunRecord) -> Asked:
    """What the run needs of people."""
    materials = materials_of(connection, run)
    known = {person: materials.roster.get(person) for person in result_of(connection, run).teams()}
    given = handed(connection, run.card, run.period)
    asked = _asked(materials, known)
    panels = newest(connection, run.card, run.period)
    missing = lacking(asked, with_polled(connection, run.card, run.period, given))
    return Asked(materials.card, materials.period, known, asked, missing, given, sum(not one.closed for one in panels))


def _asked(materials: Materials, known: Mapping[str, RosterEntry | None]) -> dict[str, list[Need]]:
    card, period = materials.card, materials.period
    weights = in_force(card, materials.seasons, period)
    return asked_of(card.at(period.kind), period, materials.settings, known.items(), weights)
