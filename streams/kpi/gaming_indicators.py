"""Signs that figures are being worked on instead of customers: for people to look at and ask about, never scored.

A sign is raised where an agent's figure lies on the odd side of the rest of the team's further than chance explains among so many
agents (``streams.kpi.compare``); or, of a change over time, where it has changed from the first half of the period to the second by more
than the rest of the team's has: what befalls everybody, such as a fault of a product, accuses nobody. Of clean teams whose members do the
same work, each sign raises something in one of twenty periods at most. A raised sign proves nothing: each names what else it may be. Score
cards refuse KPIs that are signs only (``Kpi.scored``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from streams.contracts.outputs import Figure
from streams.kpi.catalog import KPIS
from streams.kpi.compare import FALSE_DISCOVERIES, Difference, Pairing, Sample, adjusted, changes, pairings
from streams.kpi.measures import MEASURES
from streams.kpi.notation import share
from streams.kpi.spec import Bound, Kpi
from streams.languages.text import Text

Toward: TypeAlias = Literal["higher", "lower"]

#: An agent's days in the first and in the second half of the period.
Halves: TypeAlias = tuple[Sequence[Mapping[str, int]], Sequence[Mapping[str, int]]]

#: Who is asked to rate is no KPI of its own: nobody should be judged by it.
INVITED = Kpi(
    id="invited_share", zh="邀评率", en="Share of contacts invited to rate", unit="ratio", better="range",
    formula=share(of="contacts_invited", among="contacts_handled"),
    formula_zh="受邀评价的联络 / 已完成的联络", formula_en="contacts whose customer was invited / contacts handled",
    needs=("*.invited",),
    traps="A contact with several surveys counts once.",
    traps_zh="同一联络有多份问卷时只计一次。",
    scored=False,
)  # fmt: skip


@dataclass(frozen=True)
class Watched:
    """A KPI and the side on which it is odd."""

    kpi: str
    toward: Toward


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What is watched, its name, what to look at, and what else it may be.

    ``over_time``: both must have changed so between the halves of the period, beside how the rest of the team has; else the one is held
    against the rest of the team.
    """

    id: str
    watched: tuple[Watched, ...]
    name: Text
    look: Text
    innocent: Text
    over_time: bool = False


SIGNS = (
    Sign(
        id="short_calls",
        watched=(Watched("short_call_rate", "higher"),),
        name=Text("接通后很快由坐席挂断的通话偏多", "Many calls ended by the agent after seconds"),
        look=Text("抽听这些通话：客户的问题是否说完？", "Listen to some of them: had the customer finished?"),
        innocent=Text(
            "设备或线路故障、骚扰电话、无人应答的转入、客户要求回呼。",
            "Faulty headset or line, nuisance calls, silent transfers, customers who ask to be called back.",
        ),
    ),
    Sign(
        id="passed_on",
        watched=(Watched("transfer_rate", "higher"),),
        name=Text("转接偏多，评价因此归到其他坐席名下", "Many transfers: whoever takes over is rated"),
        look=Text(
            "查看转接的业务类型和时间，以及转接后评价的归属。",
            "Look at topics and times of the transfers, and at who was rated after them.",
        ),
        innocent=Text(
            "新人、分到超出权限的问题、路由分配了其他类型的业务。",
            "A newcomer, matters beyond the agent's powers, a routing that sends other topics.",
        ),
    ),
    Sign(
        id="few_invited",
        watched=(Watched("invited_share", "lower"),),
        name=Text("邀请评价偏少", "Few customers are invited to rate"),
        look=Text(
            "比较受邀与未受邀联络的时长、投诉和重复联络。",
            "Compare handle time, complaints and repeats of contacts with and without an invitation.",
        ),
        innocent=Text(
            "渠道或系统不发邀请、夜班、客户已拒绝被打扰。",
            "A channel or system that sends none, night shifts, customers who opted out.",
        ),
    ),
    Sign(
        id="few_answered",
        watched=(Watched("survey_response_rate", "lower"),),
        name=Text("受邀后评价偏少", "Few of the invited rate"),
        look=Text(
            "查看邀请发出的时间和方式，以及是否只邀请了特定客户。",
            "Look at when and how invitations go out, and whether only some customers get them.",
        ),
        innocent=Text("客户群不同、邀请发送延迟、样本量不足。", "Other customers, invitations sent late, few cases."),
    ),
    Sign(
        id="missed_offers",
        watched=(Watched("missed_offer_rate", "higher"),),
        name=Text("振铃未接偏多", "Many offers ring out"),
        look=Text(
            "对照状态记录：是否在来电前离开或未置“小休”。",
            "Look at the states beside them: away just before offers, or away without saying so?",
        ),
        innocent=Text(
            "软电话故障、同时被分配会话、置忙权限不当。",
            "A broken soft phone, chats assigned at the same time, no right to set a state.",
        ),
    ),
    Sign(
        id="reopened",
        watched=(Watched("reopen_rate", "higher"),),
        name=Text("办结后被重开的工单偏多", "Many tickets come back after closing"),
        look=Text(
            "抽查重开的工单：办结时问题是否确已解决？",
            "Read some of the reopened tickets: was the matter settled when they were closed?",
        ),
        innocent=Text(
            "客户在工单中追问新问题、疑难工单集中在该坐席、系统自动重开。",
            "Customers who ask something new in the ticket, the hard cases, reopening by rule.",
        ),
    ),
    Sign(
        id="hurried",
        watched=(Watched("average_handle_time", "lower"), Watched("repeat_contact_rate", "higher")),
        name=Text("处理时长下降而重复联络上升", "Handle time falls while repeats rise"),
        look=Text("抽听后半期的通话：是否赶着结束？", "Listen to calls of the second half: are they hurried?"),
        innocent=Text(
            "业务类型变化、新流程缩短了通话、某个产品问题导致客户反复联系。",
            "Other topics, a new procedure that shortens calls, a product fault that brings customers back.",
        ),
        over_time=True,
    ),
)


@dataclass(frozen=True)
class Seen:
    """One watched KPI of one agent: their figure, the one that it is held against, and how they differ."""

    kpi: Kpi
    own: Figure
    against: Figure
    difference: Difference | None
    adjusted: float | None


@dataclass(frozen=True)
class Finding:
    """One sign of one agent, raised or not."""

    sign: Sign
    who: str
    seen: tuple[Seen, ...]
    raised: bool


def known(id: str) -> Kpi | None:
    """A KPI that signs watch; None where the catalogue or its measures do not have it."""
    kpi = INVITED if id == INVITED.id else KPIS.get(id)
    return None if kpi is INVITED and not {"contacts_invited", "contacts_handled"} <= MEASURES.keys() else kpi


def unwatched() -> list[Sign]:
    """Signs that nothing can be said of, as their KPIs are not computed."""
    return [sign for sign in SIGNS if any(known(each.kpi) is None for each in sign.watched)]


def look(days_of: Callable[[Kpi], Mapping[str, Halves]], bound_of: Callable[[Kpi], Bound]) -> list[Finding]:
    """Every sign of every agent, sign by sign. ``days_of``: who → their days that have matured for a KPI, the same people for each."""
    silent = unwatched()
    return [finding for sign in SIGNS if sign not in silent for finding in _findings(sign, days_of, bound_of)]


def _findings(
    sign: Sign, days_of: Callable[[Kpi], Mapping[str, Halves]], bound_of: Callable[[Kpi], Bound]
) -> list[Finding]:
    columns = []
    for each in sign.watched:
        kpi = _kpi(each)
        people = days_of(kpi)
        bound = bound_of(kpi)
        if sign.over_time:
            halves = {who: (Sample.of(bound, one), Sample.of(bound, other)) for who, (one, other) in people.items()}
            pairs = changes(kpi, bound, halves)
        else:
            whole = {who: Sample.of(bound, (*one, *other)) for who, (one, other) in people.items()}
            pairs = pairings(kpi, bound, whole)
        columns.append(_column(each, pairs))
    return [
        Finding(sign, pair.who, tuple(seen for _, seen, _ in row), all(odd for *_, odd in row))
        for pair, row in zip((pair for pair, *_ in columns[0]), zip(*columns, strict=True), strict=True)
    ]


def _column(watched: Watched, pairs: Sequence[Pairing]) -> list[tuple[Pairing, Seen, bool]]:
    """One KPI of all agents: what is seen, and is it odd?"""
    corrected = iter(adjusted([pair.difference.p for pair in pairs if pair.difference is not None]))
    column = []
    for pair in pairs:
        p = None if pair.difference is None else next(corrected)
        seen = Seen(_kpi(watched), pair.own, pair.rest, pair.difference, p)
        column.append((pair, seen, _odd(watched.toward, pair.difference, p)))
    return column


def _odd(toward: Toward, found: Difference | None, p: float | None) -> bool:
    if found is None or p is None or p > FALSE_DISCOVERIES:
        return False
    return found.value > 0 if toward == "higher" else found.value < 0


def _kpi(watched: Watched) -> Kpi:
    kpi = known(watched.kpi)
    assert kpi is not None  # unwatched signs are left out before
    return kpi
