"""What the page must know besides figures: KPIs with their definitions, windows, alert rules, policy, layout."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from streams.alerts.rules import Rule
from streams.contact_links import of_day, of_window
from streams.contracts.outputs import WINDOWS
from streams.kpi.catalog import KPIS
from streams.kpi.labels import WINDOW_HEADS
from streams.kpi.naming import named
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.kpi.spec import Kpi
from streams.wallboard import layout


def meta(policies: AnyPolicy, rules: Iterable[Rule], page: str, today: date, desk: str | None = None) -> dict[str, Any]:
    """JSON of ``/api/meta``; ``page``: version of the page's files; ``desk``: how browsers reach the desk, which has the contacts.

    ``policy`` is the version in force ``today``, ``policies`` are all: the operation's clock says which one it judges by.
    """
    policy = policies.current(today)
    return {
        "kpis": [_kpi(kpi, policy) for kpi in KPIS.values()],
        "windows": [{"id": name, **WINDOW_HEADS[name].fields()} for name in WINDOWS],
        "rules": [*map(_rule, rules)],
        "policy": policy.model_dump(mode="json"),
        "policies": [
            {"valid_from": start and start.isoformat(), **one.model_dump(mode="json")}
            for start, one in versions(policies)
        ],
        "zone": policy.time_zone,
        "layout": {
            "tiles": [shown.fields() for shown in layout.TILES],
            "waiting_place": layout.WAITING_PLACE,
            "team": [shown.fields() for shown in layout.TEAM],
            "desk": [shown.fields() for shown in layout.DESK],
            "agent": [shown.fields() for shown in layout.AGENT],
        },
        "page": page,
        "contacts": _contacts(desk, policies),
    }


def _contacts(desk: str | None, policies: AnyPolicy) -> dict[str, Any] | None:
    """Addresses of the contacts behind figures, with places to fill in, and when the operation's day begins; None: there is no desk."""
    if desk is None:
        return None
    return {"day": of_day(desk), "window": of_window(desk), "day_starts_ms": policies.day_starts_ms}


def _rule(rule: Rule) -> dict[str, Any]:
    told = rule.model_dump(by_alias=True)
    if rule.test == "cusum":  # on a screen it colours what evidence comes together of, and what is usual
        told |= {"below" if rule.falls else "above": rule.threshold, "clear": rule.usual}
    return {**told, "threshold": None if rule.by_target or rule.against is not None else rule.threshold}


def _kpi(kpi: Kpi, policy: Policy) -> dict[str, Any]:
    values, names = policy.model_dump(mode="json"), named(kpi, policy)
    return {
        "id": kpi.id,
        **names.name.fields(),
        **names.short.fields("short"),
        "kind": kpi.kind,
        "is_plain_sum": kpi.is_plain_sum,
        "has_contacts": kpi.has_contacts,
        "unit": kpi.unit,
        "better": kpi.better,
        "version": kpi.version,
        **names.formula.fields("formula"),
        "needs": kpi.needs,
        "policy": {name: values[name] for name in kpi.policy_fields},
        "traps": kpi.traps,
        **{f"traps_{language}": said for language, said in kpi.trap.items() if language != "en"},
    }
