"""Teams of equals on a screen that is looked at all day: does it ever mark anybody?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

import msgspec

from streams.contracts.outputs import Sums, Totals
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.wallboard.items import Shelf
from streams.wallboard.peer_comparison import Differing, Marks
from tests.statistics.desks import handled, hits

TEAM = 12
_POLICY = Policy()


def contacts(random: Random, n: int, satisfied: float = 0.85) -> Sums:
    """So many contacts of somebody: what the columns of the agents' table are made of."""
    made = handled(random, n)
    due = hits(random, n, 0.9)
    rated = hits(random, n, 0.4)
    add(
        made,
        {
            "contacts_handled": n,
            "resolution_due": due,
            "resolved": hits(random, due, 0.8),
            "csat_ratings": rated,
            "csat_satisfied": hits(random, rated, satisfied),
            "chat_first_responses": n,
            "chat_first_responses_within_30s": hits(random, n, 0.7),
            "calls_transferred": hits(random, n, 0.08),
        },
    )
    return made


def shown(people: Mapping[str, Sums], differing: Differing) -> dict[str, Marks]:
    """The marks of this moment."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    totals = {
        id: msgspec.json.encode(
            Totals(entity=f"agent|{id}", as_of=at, windows={"5m": {}, "30m": {}, "today": own}, policy=_POLICY.version)
        )
        for id, own in people.items()
    }
    found = differing.marks(Shelf(Totals).decode(totals), {"T": sorted(people)}, _POLICY.version)
    return {id: item.value for id, item in found.items()}


def marked(days: int, looks: int = 20, a_look: int = 2, odd: float | None = None, seed: int = 1) -> list[bool]:
    """For days of a team that is looked at so often, with ``a_look`` contacts of each in between: is anybody ever marked? With ``odd``: is
    the one who satisfies only so many?
    """
    random, found = Random(seed), []
    for _ in range(days):
        people: dict[str, Sums] = {f"a{n}": {} for n in range(TEAM)}
        differing, ever = Differing(_POLICY, rest=0.0), False
        for _ in range(looks):
            for id, own in people.items():
                add(own, contacts(random, a_look, odd if odd is not None and id == "a0" else 0.85))
            marks = shown(people, differing)
            ever = ever or (bool(marks) if odd is None else "csat" in marks.get("a0", {}))
        found.append(ever)
    return found
