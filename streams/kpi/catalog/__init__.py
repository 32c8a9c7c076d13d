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
from streams.kpi.spec import Kpi

#: Every KPI by its id, in the order in which screens and files list them.
KPIS: dict[str, Kpi] = {
    kpi.id: kpi
    for area in (CALLS, CONTACTS, SATISFACTION, CHATS, COMPLAINTS, TICKETS, QUALITY, SIGNALS)
    for kpi in area
}
