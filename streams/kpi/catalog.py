"""The catalogue: every KPI, once. Wallboard, alerts, facts, score cards and documentation refer to a KPI by its id."""

from __future__ import annotations

from collections.abc import Mapping

from streams.contracts.outputs import Figure, entity_kind
from streams.kpi.policy import Policy
from streams.kpi.spec import Bound, Kpi, Side, Terms, share, side_of


def _service_level(policy: Policy, side: Side) -> tuple[Terms, Terms]:
    within = {"calls_answered_within_20s": 1}
    if side == "staff":  # what happens in the queue is no agent's doing
        return within, {"calls_offered": 1}
    match policy.service_level_denominator:
        case "offered":
            return within, {"calls_offered": 1}
        case "answered":
            return within, {"calls_answered": 1}
        case "answered_and_abandoned":
            return within, {"calls_answered": 1, "calls_abandoned": 1}
        case "offered_less_short_abandons":
            return within, {"calls_offered": 1, "calls_abandoned_short": -1}


def _abandonment(_: Policy, side: Side) -> tuple[Terms, Terms]:
    # Nobody's hang-up is an agent's: staff have no data here, not 0 %.
    return {"calls_abandoned": 1, "calls_abandoned_short": -1}, {"calls_offered": 1} if side == "desk" else {}


def _csat_mean(policy: Policy, _: Side) -> tuple[Terms, Terms]:
    scale = policy.csat_mean_scale.replace("-", "_")
    return {f"csat_score_{scale}": 1}, {f"csat_ratings_{scale}": 1}


def _first_response_time(policy: Policy, _: Side) -> tuple[Terms, Terms]:
    channels = policy.first_response_channels
    return (
        {f"{channel}_first_response_seconds": 1 for channel in channels},
        {f"{channel}_first_responses": 1 for channel in channels},
    )


KPIS: dict[str, Kpi] = {
    kpi.id: kpi
    for kpi in (
        Kpi(
            "offered_calls", "呼入量", "Calls offered", "count", "n", "range",
            lambda p, s: ({"calls_offered": 1}, None),
            "进入队列的通话；坐席与班组：接听 + 漏接", "calls queued; agent and team: answered + missed",
            ("call.queued", "call.answered", "call.missed"),
            traps="A re-queued transfer is a new offer to the next queue; hang-ups before the queue are not offered.",
        ),
        Kpi(
            "answer_rate", "接通率", "Answer rate", "rate", "ratio", "higher",
            lambda p, s: ({"calls_answered": 1}, {"calls_offered": 1}),
            "接听 / 呼入", "answered / offered",
            ("call.queued", "call.answered"),
            traps="Time-outs stay in the denominator.",
        ),
        Kpi(
            "service_level_20s", "20秒接通率", "Answered within 20 s", "rate", "ratio", "higher",
            _service_level,
            "等待不超过阈值的接听 / 分母（按政策）", "answered with wait ≤ threshold / denominator by policy",
            ("call.queued", "call.answered", "call.abandoned"),
            ("service_level_seconds", "service_level_denominator", "short_abandon_seconds"),
            "Exactly the threshold counts as within; agents: answered in time / (answered + missed).",
        ),
        Kpi(
            "abandonment_rate", "放弃率", "Abandonment rate", "rate", "ratio", "lower",
            _abandonment,
            "超过短放弃时限的放弃 / 呼入", "abandoned after more than the short-abandon limit / offered",
            ("call.queued", "call.abandoned"),
            ("short_abandon_seconds",),
            "Never charged to an agent.",
        ),
        Kpi(
            "average_speed_of_answer", "平均应答速度", "Average speed of answer", "mean", "s", "lower",
            lambda p, s: ({"wait_seconds": 1}, {"calls_answered": 1}),
            "已接听通话的等待 / 接听", "wait of the answered / answered",
            ("call.answered",),
            traps="Not over all calls.",
        ),
        Kpi(
            "average_handle_time", "平均处理时长", "Average handle time", "mean", "s", "lower",
            lambda p, s: ({"handle_seconds": 1}, {"calls_handled": 1}),
            "（通话 + 保持 + 话后）/ 处理完的通话", "(talk + hold + wrap-up) / handled",
            ("call.ended",),
            traps="Wrap-up may arrive after the end.",
        ),
        Kpi(
            "repeat_contact_rate", "重复来电率", "Repeat contact rate", "rate", "ratio", "lower",
            lambda p, s: ({"repeat_contacts": 1}, {"contacts_handled_known": 1}),
            "客户在期限内就同一主题再次来访的联络 / 已知客户的联络",
            "handled contacts whose customer returns on the same topic in time / handled with known customer",
            ("call.*", "chat.*", "ticket.*"),
            ("repeat_days", "repeat_same_topic"),
            "Charged to the agent, and counted on the day, of the earlier contact; any arrival counts as a return, the voice "
            "menu included; a topic missing on either side matches any.",
        ),
        Kpi(
            "resolution_rate", "问题解决率", "Resolution rate", "rate", "ratio", "higher",
            lambda p, s: ({"resolved": 1}, {"resolution_due": 1}),
            "已解决 / 应解决（结束、关闭或超期）", "resolved / due to be resolved (ended, closed or overdue)",
            ("call.ended", "chat.ended", "ticket.resolved", "ticket.closed"),
            traps="`resolved` false counts below; a call or chat that says nothing about it is left out.",
        ),
        Kpi(
            "csat", "客户满意度", "Customer satisfaction", "rate", "ratio", "higher",
            lambda p, s: ({"csat_satisfied": 1}, {"csat_ratings": 1}),
            "满意的评价 / 评价", "satisfied ratings / ratings",
            ("*.rated",),
            ("satisfied_from",),
            "Credited to the agent at the end of the contact; an updated rating replaces the old one.",
        ),
        Kpi(
            "csat_mean", "满意度均分", "Mean satisfaction score", "mean", "points", "higher",
            _csat_mean,
            "某一量表评分之和 / 该量表评价数", "sum of one scale's scores / its ratings",
            ("*.rated",),
            ("csat_mean_scale",),
            "Scales are never mixed or converted.",
        ),
        Kpi(
            "first_response_30s_rate", "30秒首响率", "First response within 30 s", "rate", "ratio", "higher",
            lambda p, s: ({"first_responses_within_30s": 1}, {"first_responses_due": 1}),
            "阈值内的人工首响 / 已首响或等待超过阈值的会话",
            "first human reply ≤ threshold / chats that got one or waited past the threshold",
            ("chat.message", "chat.ended"),
            ("first_response_seconds",),
            "Bots do not answer; unanswered past the threshold counts as missed at that moment.",
        ),
        Kpi(
            "first_response_time", "首次响应时间", "First response time", "mean", "s", "lower",
            _first_response_time,
            "首次人工回复 − 客户首条消息（均值）", "first human reply − customer's first message (mean)",
            ("chat.message", "ticket.replied"),
            ("first_response_channels",),
        ),
        Kpi(
            "repeat_complaint_rate", "重复投诉率", "Repeat complaint rate", "rate", "ratio", "lower",
            lambda p, s: ({"repeat_complaints": 1}, {"complaints": 1}),
            "期限内就同一主题再次投诉 / 投诉",
            "complaints of a customer who complained on the same topic in time / complaints",
            ("kind = complaint",),
            ("repeat_complaint_days",),
            "Charged to whoever closed the earlier one; counted on the day of the later one.",
        ),
    )
}  # fmt: skip


class Formulas:
    """Every KPI for one policy and side, its formula asked once: what evaluates an entity's sums again and again."""

    def __init__(self, policy: Policy, side: Side) -> None:
        self.by_id = {id: kpi.bound(policy, side) for id, kpi in KPIS.items()}
        self._nothing = {id: bound.figure({}) for id, bound in self.by_id.items()}
        # Most formulas are one measure over another. These are evaluated here without a call for each.
        self._counts: list[tuple[str, str]] = []
        self._shares: list[tuple[str, str, str]] = []
        self._means: list[tuple[str, str, str, int]] = []
        self._others: list[Bound] = []
        for id, bound in self.by_id.items():
            match bound:
                case Bound(bottom=()):
                    pass  # this side never has data
                case Bound(kind="count", top=((top, 1),), bottom=None):
                    self._counts.append((id, top))
                case Bound(kind="rate", top=((top, 1),), bottom=((bottom, 1),)):
                    self._shares.append((id, top, bottom))
                case Bound(kind="mean", top=((top, 1),), bottom=((bottom, 1),)):
                    self._means.append((id, top, bottom, bound.scale))
                case _:
                    self._others.append(bound)

    def figures(self, sums: Mapping[str, int]) -> dict[str, Figure]:
        """Every KPI for these sums: KPI id → figure, in the order of the catalogue."""
        found, get = self._nothing.copy(), sums.get
        for id, top in self._counts:
            if n := get(top, 0):
                found[id] = Figure(n, n)
        for id, top, bottom in self._shares:
            if (n := get(bottom, 0)) > 0:
                found[id] = share(get(top, 0), n)
        for id, top, bottom, scale in self._means:
            if (n := get(bottom, 0)) > 0:
                found[id] = Figure(get(top, 0) / (n * scale), n)
        for bound in self._others:
            found[bound.id] = bound.figure(sums)
        return found


def formulas(policy: Policy) -> dict[Side, Formulas]:
    """Every KPI for one policy, by the side that an entity is on."""
    return {"desk": Formulas(policy, "desk"), "staff": Formulas(policy, "staff")}


def figures(entity: str, sums: Mapping[str, int], policy: Policy) -> dict[str, Figure]:
    """Every KPI of an entity for these sums: KPI id → figure. Whoever asks often keeps ``formulas`` of the policy."""
    return Formulas(policy, side_of(entity_kind(entity))).figures(sums)
