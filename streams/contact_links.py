"""Addresses of the desk's page *Contacts*: from a figure to the contacts behind it, the same from wherever somebody comes."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from streams.contracts.outputs import WINDOWS
from streams.kpi.as_of import day_of
from streams.kpi.catalog import KPIS
from streams.kpi.policy.versions import AnyPolicy


def of_day(desk: str) -> str:
    """The address of a whole day's contacts, with places to fill in: ``{kpi}``, ``{entity}``, ``{first}``, a day of the operation."""
    return f"{desk.rstrip('/')}/#/contacts?kpi={{kpi}}&entity={{entity}}&first={{first}}"


def of_window(desk: str) -> str:
    """The same of a window's contacts: ``{kpi}``, ``{entity}``, ``{at}``, the moment at which the window ends, and ``{window}``."""
    return f"{desk.rstrip('/')}/#/contacts?kpi={{kpi}}&entity={{entity}}&at={{at}}&window={{window}}"


def contacts_address(
    desk: str | None, policy: AnyPolicy, kpi: str, entity: str, at: datetime, window: str | None = None
) -> str | None:
    """Where the contacts behind a figure are: those of its window that ended ``at`` a moment, or of the moment's whole day where there is
    no window, or one that the history does not know.

    ``desk``: how browsers reach it, None: they do not. None where there is no desk, or the KPI has no contacts.
    """
    known = KPIS.get(kpi.partition("~")[0])
    if desk is None or known is None or not known.has_contacts:
        return None
    given = {"kpi": kpi, "entity": entity}
    if window in WINDOWS:
        return _filled(of_window(desk), **given, at=at.isoformat().replace("+00:00", "Z"), window=window)
    return _filled(of_day(desk), **given, first=day_of(at, policy).isoformat())


def _filled(pattern: str, **given: str) -> str:
    """The pattern with every place filled in; ids may have any sign."""
    address, _, query = pattern.partition("?")
    return f"{address}?{query.format(**{name: quote(value, safe='') for name, value in given.items()})}"
