"""Why a contact does not count in a figure, as far as its record says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from streams.kpi.spec import Kpi
from streams.languages.text import Text

Reason: TypeAlias = Literal[
    "channel", "kind", "other_day", "elsewhere", "merged", "shared_customer", "no_customer", "open", "unserved", "not_rated",
    "not_reviewed", "not_followed_up", "unresolved", "not_said",
]  # fmt: skip
#: What is told of each.
REASONS: Mapping[Reason, Text] = {
    "channel": Text("该指标不统计此渠道", "the KPI does not look at this channel"),
    "kind": Text("该指标只统计另一类联络", "the KPI looks at contacts of another kind"),
    "other_day": Text("计入其他日期或时段", "it counts on another day, or at another hour"),
    "elsewhere": Text("计入其他坐席、班组或队列", "it counts for another agent, team or queue"),
    "merged": Text("已并入另一张工单", "it went on as another ticket"),
    "shared_customer": Text("多人共用的客户号", "its customer id is that of many callers"),
    "no_customer": Text(
        "没有客户号，无法判断是否再次联系", "no customer is known, so nobody can tell whether they came back"
    ),
    "open": Text("尚未结束", "it has not ended yet"),
    "unserved": Text("没有坐席受理（放弃、溢出或自助完成）", "nobody served it: abandoned, flowed out or self-served"),
    "not_rated": Text("客户没有评价", "its customer gave no rating"),
    "not_reviewed": Text("没有质检", "nobody reviewed it"),
    "not_followed_up": Text("没有回访结果", "no follow-up has asked about it"),
    "unresolved": Text("没有是否解决的结论", "nobody said whether it is resolved"),
    "not_said": Text("记录中没有原因", "its record does not say why"),
}
_CHANNELS = {"call": "calls", "chat": "chats", "ticket": "tickets"}
_KIND = "kind = "
#: What a contact says of itself: column or field of its record → value.
Told: TypeAlias = Mapping[str, Any]


def channels_of(kpi: Kpi) -> frozenset[str]:
    """The channels whose contacts a KPI looks at; none: it is of agents' time alone."""
    named = {_CHANNELS[of] for need in kpi.needs if (of := need.partition(".")[0]) in _CHANNELS}
    is_of_any = any(need.startswith("*.") for need in kpi.needs) or (not named and any(_kinds(kpi)))
    return frozenset(_CHANNELS.values() if is_of_any else named)


def why_not(kpi: Kpi, contact: Told, elsewhere: bool, other_day: bool) -> Reason:
    """Why a contact does not count. ``elsewhere``, ``other_day``: it does, for somebody else, or at another time."""
    if contact["channel"] not in channels_of(kpi):
        return "channel"
    if other_day:
        return "other_day"
    if elsewhere:
        return "elsewhere"
    return next((reason for reason, concerns, holds in _RULES if concerns(kpi) and holds(kpi, contact)), "not_said")


def _needs(*names: str) -> Callable[[Kpi], bool]:
    """Does a KPI rest on an event of one of these names, of whatever channel?"""
    return lambda kpi: any(need.rpartition(".")[2] in names for need in kpi.needs)


def _kinds(kpi: Kpi) -> Iterable[str]:
    return [need.removeprefix(_KIND) for need in kpi.needs if need.startswith(_KIND)]


def _of_customers(kpi: Kpi) -> bool:
    return kpi.id in ("fcr", "repeat_contact_rate", "repeat_complaint_rate")


def _always(_: Kpi) -> bool:
    return True


#: In the order in which they are asked: reason, which KPIs it concerns, whether it holds of a contact.
_RULES: tuple[tuple[Reason, Callable[[Kpi], bool], Callable[[Kpi, Told], bool]], ...] = (
    ("kind", lambda kpi: bool(_kinds(kpi)), lambda kpi, told: told["kind"] not in _kinds(kpi)),
    ("merged", _always, lambda _, told: told["outcome"] == "merged"),
    ("shared_customer", _of_customers, lambda _, told: bool(told.get("shared"))),
    ("no_customer", _of_customers, lambda _, told: told["customer_id"] is None),
    ("not_rated", _needs("rated"), lambda _, told: told["csat_score"] is None and not told.get("surveys")),
    ("not_reviewed", _needs("reviewed"), lambda _, told: not told.get("reviews")),
    ("not_followed_up", _needs("followed_up"), lambda *_: True),
    ("unserved", _always, lambda _, told: told["outcome"] in ("abandoned", "flowed_out", "self_served")),
    ("open", _always, lambda _, told: told["state"] != "closed"),
    ("unresolved", _needs("resolved"), lambda _, told: told["resolved"] is None),
)
