"""Which incidents an alert belongs to: those of the same cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streams.contracts.outputs import Alert, entity_kind
from streams.incidents.places import is_part
from streams.incidents.records import Case, Member

#: Alerts of a rule whose places nobody knows to be apart are of one cause where they come so soon after another, ms: those of agents and
#: teams, and those of queues and sites, of which each is news.
SAME_CAUSE_MS, AT_ONCE_MS = 600_000, 60_000


def related(
    alert: Alert, team: str | None, site: str | None, now: int, candidates: Iterable[tuple[Case, Sequence[Member]]]
) -> list[Case]:
    """The incidents of one cause with an alert, the oldest first: those with something that is a part of it, or of which it is one;
    else the one that grew last, if that was shortly before and nobody knows it to be at another site.

    ``team``, ``site``: of the alert; ``candidates``: incidents of its rule that are not over, with their alerts.
    """
    certain, likely = [], []
    soon = SAME_CAUSE_MS if entity_kind(alert.entity) in ("agent", "team") else AT_ONCE_MS
    for case, members in candidates:
        if any(_is_of_one(alert, team, site, member) for member in members if member.alert.status == "firing"):
            certain.append(case)
        elif abs(now - case.joined) < soon and _may_share_site(members, site):
            likely.append(case)
    if certain:
        return sorted(certain, key=lambda case: (case.placed, case.id))
    return [max(likely, key=lambda case: (case.joined, case.id))] if likely else []


def _is_of_one(alert: Alert, team: str | None, site: str | None, member: Member) -> bool:
    """Is one of the two certainly a part of the other?"""
    other = member.alert.entity
    return is_part(alert.entity, team, site, other) or is_part(other, member.team, member.site, alert.entity)


def _may_share_site(members: Sequence[Member], site: str | None) -> bool:
    sites = {member.site for member in members}
    return site is None or None in sites or site in sites
