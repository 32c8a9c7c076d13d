"""KPIs of tickets and of matters that are followed up: resolving, reopening, escalating, due times, backlog, replies in time."""

from __future__ import annotations

from streams.kpi.measures.parts import parts_of
from streams.kpi.measures.topics import topics_in
from streams.kpi.notation import count_of, level_of, mean, percentile, plus, ratio, share, sum_of
from streams.kpi.policy.model import CLOCK, FROM, STOPPING, SUBJECT
from streams.kpi.spec import Kpi

TICKETS = (
    Kpi(
        id="time_to_resolve", zh="工单解决时长", en="Time to resolve", unit="s", better="lower",
        formula=mean(
            of="time_to_resolve_seconds",
            over="tickets_resolved",
            squares="time_to_resolve_seconds_squared",
        ),
        formula_zh="解决时间 − 创建时间（均值）", formula_en="resolved − created (mean)",
        needs=(
            "ticket.created", "ticket.resolved", "ticket.closed", "ticket.reopened", "ticket.pending",
            "ticket.resumed",
        ),
        policy_fields=("rating_credit", "urgent_priorities", *SUBJECT, *STOPPING),
        traps=(
            "A reopened ticket counts to its last resolution, the time for which it was resolved with it unless the "
            "policy leaves that out; one that is open or whose creation nobody told not at all; a later word that it "
            "is resolved moves nothing. The clock stops while the customer is awaited, where the source says so "
            "(policy). Of VIPs and urgent contacts beside all, as `time_to_resolve~urgent`."
        ),
        traps_zh=(
            "重开的工单算到最后一次解决，其间处于已解决状态的时间也计算在内（可在口径设置中排除）；"
            "未解决或不知其创建时间的不计；重复提交“已解决”不改变解决时长。数据源告知正在等待客户时，"
            "计时暂停（可在口径设置中更改）。VIP 与紧急联络另行分列，如 `time_to_resolve~urgent`。"
        ),
        version=2, apart=parts_of("tickets_resolved"),
    ),
    *(
        Kpi(
            id=f"time_to_resolve_p{percent}", zh=f"工单解决时长P{percent}", en=f"Time to resolve, {percent} % within",
            unit="s", better="lower",
            formula=percentile(percent, of="time_to_resolve", among="tickets_resolved"),
            formula_zh=f"{percent}% 的工单解决时长不超过的值",
            formula_en=f"what {percent} % of the times to resolve did not exceed",
            needs=(
                "ticket.created", "ticket.resolved", "ticket.closed", "ticket.reopened", "ticket.pending",
                "ticket.resumed",
            ),
            policy_fields=("rating_credit", *STOPPING),
            traps="Right to 2 % of itself: it is read from buckets, so that days and teams add up.",
            traps_zh="按分桶估算，相对误差不超过 2%，因此可按日、按班组合并。",
            version=2,
        )
        for percent in (50, 90)
    ),
    Kpi(
        id="dispute_handling_time", zh="纠纷处理时长", en="Dispute handling time", unit="s", better="lower",
        formula=mean(of="dispute_seconds", over="disputes_resolved", squares="dispute_seconds_squared"),
        formula_zh="纠纷工单的解决时间 − 创建时间（均值）", formula_en="resolved − created, of tickets about disputes (mean)",
        needs=(
            "kind = dispute", "ticket.created", "ticket.resolved", "ticket.closed", "ticket.reopened", "ticket.pending",
            "ticket.resumed",
        ),
        policy_fields=(*SUBJECT, "rating_credit", *STOPPING),
        traps=(
            "Which tickets are disputes, the policy says (`subjects`): of the kinds refund_dispute and dispute unless it "
            "says otherwise. Else as the time to resolve: to the last resolution, and the clock stops while the customer "
            "is awaited."
        ),
        traps_zh=(
            "哪些工单属于纠纷由口径设置（`subjects`）规定，默认为 refund_dispute（退款纠纷）与 dispute（纠纷）。"
            "其余同工单解决时长：算到最后一次解决，等待客户期间计时暂停。"
        ),
    ),
    Kpi(
        id="difficult_tickets_handled", zh="疑难工单处理量", en="Difficult tickets handled", unit="n", better="higher",
        formula=sum_of("difficult_tickets_handled"),
        formula_zh="办结的疑难工单数", formula_en="difficult tickets that were finished",
        needs=("kind = difficult", "ticket.escalated", "ticket.resolved", "ticket.closed"),
        policy_fields=SUBJECT,
        traps=(
            "Difficult: escalated, or of the policy's subject `difficult` (the kind difficult unless it says otherwise). "
            "Credited to whoever finished it, never to whoever had escalated it themselves. A ticket counts once."
        ),
        traps_zh=(
            "疑难工单：经过升级的，或属于口径设置中 `subjects` 的 difficult（默认为 difficult 类，即疑难）。"
            "归属办结的坐席，本人升级又由本人办结的不计。每张只计一次。"
        ),
    ),
    Kpi(
        id="issue_handling_late_count", zh="延迟、遗漏的工单数", en="Late or missed tickets", unit="n", better="lower",
        formula=count_of("sla_breached", among="sla_due"),
        formula_zh="超过时限仍未办结的工单数", formula_en="tickets not finished by their due time",
        needs=("ticket.created", "ticket.resolved", "ticket.closed", "ticket.pending", "ticket.resumed"),
        policy_fields=("kinds", "due_hours_by_kind", *STOPPING),
        traps=(
            "How many of them the overdue rate has: finished late or open still, each once, for whoever had it when its "
            "time was up. Without due times (`due` of `ticket.created`, or of its kind by the policy) there is no data."
        ),
        traps_zh=(
            "即工单超时率的分子：逾期办结或仍未办结的，每张计一次，归属到期时的坐席。"
            "没有时限（`ticket.created` 的 `due`，或口径设置按类别规定的时限）时无数据。"
        ),
    ),
    Kpi(
        id="backlog_clearance_speed", zh="工单积压清理速度", en="Backlog clearance speed", unit="per_hour", better="higher",
        formula=mean(of="tickets_closed", over=plus("available_seconds", "working_seconds"), times=3600),
        formula_zh="办结工单 /（空闲 + 服务中 + 话后处理）小时", formula_en="tickets resolved or closed / hours available or working",
        needs=("ticket.resolved", "ticket.closed", "ticket.reopened", "agent.state_changed"),
        policy_fields=("max_state_hours",),
        traps=(
            "A ticket counts on the day on which it was finished, however old it is; reopened, it has not been. Of whoever "
            "works on calls as well the hours are those of both. Never without a quality item."
        ),
        traps_zh=(
            "工单计在办结当日，不论何时创建；重开的视为未办结。同时接待通话、会话的坐席，工时包含各项工作。"
            "须与质量指标一同使用。"
        ),
    ),
    Kpi(
        id="info_relay_ontime_rate", zh="信息传递及时率", en="Information relayed within an hour",
        unit="ratio", better="higher",
        formula=share(of="info_replies_within_1h", among="info_replies_due"),
        formula_zh="1小时内首次答复 / 应答复的信息传递",
        formula_en="first replies ≤ 1 h / information to pass on that got one or waited for an hour",
        needs=(
            "kind = info_relay", "ticket.created", "ticket.replied", "chat.message", "chat.handed_over",
            "call.answered",
        ),
        policy_fields=("kinds", "reply_within_seconds", *FROM, *CLOCK),
        traps=(
            "Exactly 60 minutes is in time; unanswered past it counts as missed at that moment, for whoever had it "
            "then; who left a call or chat before was not kept waiting, nor who was with a bot only: a chat waits "
            "since it came to people. The reply must be one that the customer can read."
        ),
        traps_zh=(
            "恰好 60 分钟算及时；超过仍未答复的，在满 60 分钟的时刻计为未及时，归属当时的坐席；"
            "客户提前挂断或离开的不计，只由机器人接待的也不计：会话从转到人工起算。内部备注不算答复。"
        ),
        version=2,
    ),
    Kpi(
        id="fault_report_reply_1h_rate", zh="报修1小时答复率", en="Fault reports replied to within an hour",
        unit="ratio", better="higher",
        formula=share(of="fault_replies_within_1h", among="fault_replies_due"),
        formula_zh="1小时内首次答复 / 应答复的报修",
        formula_en="first replies ≤ 1 h / fault reports that got one or waited for an hour",
        needs=(
            "kind = fault", "ticket.created", "ticket.replied", "chat.message", "chat.handed_over", "call.answered",
        ),
        policy_fields=("kinds", "reply_within_seconds", *FROM, *CLOCK),
        traps=(
            "Exactly 60 minutes is in time; unanswered past it counts as missed at that moment, for whoever had it "
            "then; who left a call or chat before was not kept waiting, nor who was with a bot only: a chat waits "
            "since it came to people. The reply must be one that the customer can read."
        ),
        traps_zh=(
            "恰好 60 分钟算及时；超过仍未答复的，在满 60 分钟的时刻计为未及时，归属当时的坐席；"
            "客户提前挂断或离开的不计，只由机器人接待的也不计：会话从转到人工起算。内部备注不算答复。"
        ),
        version=2,
    ),
    Kpi(
        id="opinion_feedback_ontime_rate", zh="客户意见反馈及时率", en="Opinions answered in time",
        unit="ratio", better="higher",
        formula=share(of="opinion_replies_in_time", among="opinion_replies_due"),
        formula_zh="规定时间内首次答复 / 应答复的客户意见",
        formula_en="first replies within the time / opinions that got one or waited for as long",
        needs=(
            "kind = opinion", "ticket.created", "ticket.replied", "chat.message", "chat.handed_over", "call.answered",
        ),
        policy_fields=("kinds", "opinion_reply_hours", *FROM, *CLOCK),
        traps=(
            "The time is policy: 24 hours by default. Exactly then is in time; unanswered past it counts as missed at "
            "that moment, for whoever had it then; who left a call or chat before was not kept waiting. The reply must "
            "be one that the customer can read."
        ),
        traps_zh=(
            "规定时间由口径设置给出，默认 24 小时。恰好到时算及时；超过仍未答复的，在到时的时刻计为未及时，"
            "归属当时的坐席；客户提前挂断或离开的不计。内部备注不算答复。"
        ),
    ),
    Kpi(
        id="late_order_count", zh="推迟下单数", en="Orders placed late", unit="n", better="lower",
        formula=count_of("orders_late", among="orders_due"),
        formula_zh="到期未下的单数", formula_en="orders not placed by their due time",
        needs=("kind = order_placement", "ticket.created", "ticket.resolved", "ticket.closed"),
        policy_fields=("kinds", "due_hours_by_kind", *STOPPING),
        traps=(
            "A ticket for each order, created at the second measurement and resolved when the order is placed: due 48 "
            "hours later unless it says when. No data where there is no such ticket. Exactly then is in time; as in "
            "sla_breach_rate it counts when it is late, for whoever had it then."
        ),
        traps_zh=(
            "每单一张工单：复测时创建，下单后办结；未给时限的，48 小时后到期。没有这类工单时没有数据。恰好到期时算按时；"
            "与工单超时率一样，在超时的时刻计入，归属当时的坐席。"
        ),
    ),
    Kpi(
        id="onsite_dispatch_ontime_rate", zh="按时到场率", en="On-site arrival on time", unit="ratio", better="higher",
        formula=share(of="visits_in_time", among="visits_due"),
        formula_zh="按时到场 / 已到场或已到期的上门", formula_en="visits made by their due time / visits made or past it",
        needs=("kind = site_visit", "ticket.created", "ticket.resolved", "ticket.closed"),
        policy_fields=("kinds", "due_hours_by_kind", *STOPPING),
        traps=(
            "A ticket for each visit, with its due time, resolved on arrival. One without a due time is in neither, "
            "unless `due_hours_by_kind` gives the kind one. As in sla_breach_rate it counts when it is late, for whoever "
            "had it then."
        ),
        traps_zh=(
            "每次上门一张带时限的工单，到场时办结。没有时限的不计，除非 `due_hours_by_kind` 为其给出时限。"
            "与工单超时率一样，在超时的时刻计入，归属当时的坐席。"
        ),
    ),
    Kpi(
        id="late_post_count", zh="未按时公布次数", en="Regular posts missed", unit="n", better="lower",
        formula=count_of("posts_late", among="posts_due"),
        formula_zh="到期未公布的定期公布数", formula_en="regular posts not made by their due time",
        needs=("kind = regular_post", "ticket.created", "ticket.resolved", "ticket.closed"),
        policy_fields=("kinds", "due_hours_by_kind", *STOPPING),
        traps=(
            "A ticket for each post that is to be made, daily or on Mondays, with its due time, resolved when it is "
            "made. It counts when it is late, for whoever had it then. No data where there is no such ticket."
        ),
        traps_zh="每次应公布的内容（每日、每周一）一张带时限的工单，公布后办结。在超时的时刻计入，归属当时的坐席。没有这类工单时没有数据。",
    ),
    Kpi(
        id="reopen_rate", zh="工单重开率", en="Reopen rate", unit="ratio", better="lower",
        formula=share(of="tickets_reopened", among="tickets_finished"),
        formula_zh="重开的工单 / 曾解决或关闭的工单",
        formula_en="tickets reopened / tickets that were resolved or closed",
        needs=("ticket.reopened", "ticket.resolved", "ticket.closed"),
        traps=(
            "A ticket counts once, however often it was reopened; charged to whoever first finished it, in the window "
            "of that."
        ),
        traps_zh="一张工单无论重开几次只计一次；归属首次办结该工单的坐席和当时的统计窗口。",
    ),
    Kpi(
        id="escalation_rate", zh="工单升级率", en="Escalation rate", unit="ratio", better="lower",
        formula=share(of="tickets_escalated", among="tickets_passed"),
        formula_zh="升级的工单 / 已完成或升级的工单",
        formula_en="tickets escalated / tickets handled to the end or escalated",
        needs=("ticket.escalated", "ticket.resolved", "ticket.closed"),
        traps=(
            "Tickets only, each once; charged to whoever escalated it, while whoever then finishes it has handled "
            "one."
        ),
        traps_zh="仅限工单，每张只计一次；归属升级该工单的坐席，之后办结的坐席计为完成一张。",
    ),
    Kpi(
        id="sla_breach_rate", zh="工单超时率", en="Overdue rate", unit="ratio", better="lower",
        formula=share(of="sla_breached", among="sla_due"),
        formula_zh="超过时限的工单 / 有时限且已办结或已到期的工单",
        formula_en="past due / tickets with a due time that are finished or past it",
        needs=("ticket.created", "ticket.resolved", "ticket.closed", "ticket.pending", "ticket.resumed"),
        policy_fields=("urgent_priorities", "kinds", "due_hours_by_kind", *SUBJECT, *STOPPING),
        traps=(
            "Ages without events: open past its due time counts at that moment, for whoever had it then; exactly the "
            "due time is in time; resolved or closed is finished, a reopened ticket must be finished again. While the "
            "customer is awaited nothing falls due, and the due time moves by as much of the time that counts "
            "(policy: a source whose due times are fixed leaves `due` out of `clocks_that_stop`). Of VIPs and urgent "
            "contacts beside all, as `sla_breach_rate~urgent`."
        ),
        traps_zh=(
            "到期未办结的，在到期时刻自动计入，无需新事件，归属当时的坐席；恰好在到期时刻办结的算按时；"
            "解决或关闭都算办结，重开后须再次办结。等待客户期间不会到期，时限相应顺延（可在口径设置中更改："
            "时限固定不变的，请从 `clocks_that_stop` 中去掉 `due`）。VIP 与紧急联络另行分列，"
            "如 `sla_breach_rate~urgent`。"
        ),
        version=2, apart=parts_of("sla_due"),
    ),
    Kpi(
        id="open_backlog", zh="未结工单量", en="Open backlog", unit="n", better="lower",
        formula=level_of("tickets_open"),
        formula_zh="当前未结的工单；某日：当日创建且仍未结的",
        formula_en="tickets open now; of a day: those created on it that are still open",
        needs=("ticket.created", "ticket.resolved", "ticket.closed", "ticket.reopened"),
        traps="Of an agent or a queue: those that are there now. A ticket whose creation nobody told is in no backlog.",
        traps_zh="坐席、队列按当前归属统计。创建时间不明的工单不计入。",
    ),
    Kpi(
        id="backlog_age_p90", zh="未结工单时长P90", en="Age of the backlog, 90 % within", unit="s", better="lower",
        formula=percentile(90, of="backlog_age", among="tickets_open"),
        formula_zh="90% 的未结工单存续时长不超过的值",
        formula_en="what 90 % of the ages (now − created) of the open tickets do not exceed",
        needs=("ticket.created", "ticket.resolved", "ticket.closed", "ticket.reopened"),
        traps=(
            "Ages in whole hours, right to 2 % of themselves; they grow without events, while the customer is "
            "awaited, too. A reopened ticket is as old as its creation."
        ),
        traps_zh="按整小时统计，相对误差不超过 2%；随时间持续增长，等待客户期间不暂停。重开的工单从创建时起算。",
        kept=False,
    ),
    Kpi(
        id="ticket_turnaround", zh="工单周转率", en="Ticket turnaround", unit="ratio", better="higher",
        formula=ratio(of="tickets_closed", to=plus("tickets_open_at_start", "tickets_created")),
        formula_zh="本月办结 / （月初未结 + 本月新建）",
        formula_en="resolved or closed / (open at the start of the month + created)",
        needs=("ticket.created", "ticket.resolved", "ticket.closed", "ticket.reopened"),
        traps=(
            "For whole months: what was open at the start counts on the month's first day, closings on their own day; "
            "a reopened ticket counts as if it had stayed open; one that is older than a year counts no more. All of "
            "a ticket goes with it to another agent or queue."
        ),
        traps_zh=(
            "按整月使用：月初未结计在当月第一天，办结计在办结当日；重开的工单视为一直未结；"
            "超过一年的不再计入月初未结。转给其他坐席或队列时，各项随工单一并转移。"
        ),
    ),
    Kpi(
        id="followup_rate", zh="回访率", en="Follow-up rate", unit="ratio", better="higher",
        formula=share(of="follow_ups_done", among="follow_ups_due"),
        formula_zh="已回访 / 应回访", formula_en="follow-ups made / made or due",
        needs=(
            "kind = follow_up", "ticket.created", "ticket.replied", "ticket.closed", "ticket.pending",
            "ticket.resumed", "call.answered", "chat.message",
        ),
        policy_fields=("kinds", "due_hours_by_kind", *STOPPING),
        traps=(
            "Made: an agent answered, replied or handled it, be it late. Due: at the ticket's due time, which moves "
            "while the customer is awaited (policy), or when the call or chat ended without an agent; a ticket "
            "without a due time is not due before it is made. Credited to whoever made it."
        ),
        traps_zh=(
            "已回访：坐席接听、回复或完成处理，逾期完成的也算。应回访：工单到期（等待客户时顺延，"
            "可在口径设置中更改），或通话、会话无坐席而结束；未设时限的工单，完成回访后才计入应回访。"
            "归属完成回访的坐席。"
        ),
        version=2,
    ),
    Kpi(
        id="followup_15d_rate", zh="15天回访率", en="Followed up within 15 days", unit="ratio", better="higher",
        formula=share(of="follow_ups_within_15d", among="follow_ups_due_15d"),
        formula_zh="15天内完成的回访 / 已按时完成或已满15天的回访",
        formula_en="follow-ups made ≤ 15 days after they were asked for / made in time or past 15 days",
        needs=(
            "kind = follow_up", "ticket.created", "ticket.replied", "ticket.closed", "call.answered", "chat.message",
        ),
        policy_fields=("kinds", "follow_up_days"),
        traps=(
            "From its creation, whatever its due time; every second counts. Where customers are called every 15 days, "
            "each call creates the next follow-up. Exactly 15 days is in time; open past it counts as missed at that "
            "moment, for whoever had it then."
        ),
        traps_zh=(
            "从创建时起算，与工单时限无关，夜间和休息日照常计时。每 15 天回访一次的，每次回访后创建下一次。"
            "恰好 15 天算及时；超过仍未回访的，在满 15 天的时刻计为未及时，归属当时的坐席。"
        ),
        limit="follow_up_days",
    ),
    Kpi(
        id="refund_dispute_rate", zh="退款纠纷率", en="Refund dispute rate", unit="ratio", better="lower",
        formula=ratio(of="refund_disputes", to="refunds"),
        formula_zh="退款纠纷 / 退款", formula_en="refund disputes / refunds",
        needs=("kind = refund", "kind = refund_dispute"),
        policy_fields=("kinds",),
        traps=(
            "Contacts of the one kind over contacts of the other; one that begins as a refund and becomes a dispute "
            "is both. More disputes than refunds make more than 1, and no interval."
        ),
        traps_zh="两类联络之比；先为退款后转为纠纷的，分子和分母都计入。纠纷多于退款时大于 1，且无区间。",
        version=2,
    ),
    Kpi(
        id="topic_resolution_rate", zh="分业务类型解决率", en="Resolution rate by topic",
        unit="ratio", better="higher",
        formula=share(of="topic_resolved", among="topic_resolution_due"),
        formula_zh="口径设置列明的业务类型中，已解决 / 应解决；另按业务类型分列",
        formula_en="resolved / due to be resolved, of the topics that the policy names; by topic as well",
        needs=(
            "call.ended", "call.resolved", "chat.ended", "ticket.resolved", "ticket.closed", "ticket.pending",
            "ticket.resumed",
        ),
        policy_fields=("topics", "kinds", "due_hours_by_kind", "rating_credit", *STOPPING),
        traps=(
            "No data unless the policy names topics: each is kept apart by its name, as "
            "`topic_resolution_rate~refund`. The last topic told is the contact's."
        ),
        traps_zh=(
            "口径设置未列明业务类型时没有数据：列明的才分别统计，如 topic_resolution_rate~refund。"
            "以最后一次标注的业务类型为准。"
        ),
        version=2, apart=topics_in,
    ),
)  # fmt: skip
