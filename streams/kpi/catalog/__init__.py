"""The catalogue: every KPI, once. Wallboard, alerts, facts, score cards and documentation refer to a KPI by its id."""

from __future__ import annotations

from streams.kpi.catalog.calls import CALLS
from streams.kpi.catalog.chats import CHATS
from streams.kpi.catalog.complaints import COMPLAINTS
from streams.kpi.catalog.contacts import CONTACTS
from streams.kpi.catalog.quality import QUALITY
from streams.kpi.catalog.satisfaction import SATISFACTION
from streams.kpi.catalog.signals import SIGNALS
from streams.kpi.catalog.tickets import TICKETS
from streams.kpi.catalog.work import WORK
from streams.kpi.spec import Kpi

#: Every area and its KPIs, in the order in which screens and files list them.
AREAS: dict[str, tuple[Kpi, ...]] = {
    "calls": CALLS,
    "contacts": CONTACTS,
    "satisfaction": SATISFACTION,
    "chats": CHATS,
    "complaints": COMPLAINTS,
    "tickets": TICKETS,
    "quality": QUALITY,
    "signals": SIGNALS,
    "work": WORK,
}

#: Every KPI by its id, in the same order.
KPIS: dict[str, Kpi] = {kpi.id: kpi for area in AREAS.values() for kpi in area}
