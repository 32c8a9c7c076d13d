"""KPIs of contacts of all channels: repeats and resolution."""

from __future__ import annotations

from streams.kpi.notation import for_each, less, mean, plus, share, sum_of
from streams.kpi.policy.model import CLOCK, FROM, STOPPING, SUBJECT
from streams.kpi.spec import Kpi

CONTACTS = (
    Kpi(
        id="repeat_contact_rate", zh="重复联络率", en="Repeat contact rate", unit="ratio", better="lower",
        formula=share(of="repeat_contacts", among="contacts_handled_known"),
        formula_zh="客户在期限内就同一业务类型再次联系的联络 / 已识别客户的联络",
        formula_en="handled contacts whose customer returns on the same topic in time / handled with known customer",
        needs=("call.*", "chat.*", "ticket.*"),
        policy_fields=("topics", "repeat_days", "same_matter", "max_customer_contacts_per_day"),
        traps=(
            "Charged to the agent, and counted on the day, of the earlier contact; any arrival counts as a return, "
            "the voice menu included; what the same matter is: policy; a topic missing on either side matches any. "
            "Pending: contacts of days within the time. Contacts of ids that many callers share are of unknown "
            "customers (`shared_contacts`)."
        ),
        traps_zh=(
            "归属前一次联络的坐席，统计日期为前一次联络当日；任何再次联系都算，包括只进入语音菜单；"
            "何为同一事项由口径设置规定，任一方缺少业务类型的视为相同。“观察期未满”为期限内各日的联络数。"
            "多人共用的客户号视为未识别客户（`shared_contacts`）。"
        ),
        version=3, matures="repeat_days",
    ),
    Kpi(
        id="fcr", zh="首次解决率（FCR）", en="First contact resolution", unit="ratio", better="higher",
        formula=share(of=less("contacts_handled_known", "fcr_missed"), among="contacts_handled_known"),
        formula_zh="未转接、未重开且期限内未再次联系的联络 / 观察期已满的已识别客户联络",
        formula_en=(
            "handled contacts neither transferred, reopened nor repeated in time / matured ones with known customer"
        ),
        needs=("call.*", "chat.*", "ticket.*"),
        policy_fields=("topics", "fcr_days", "same_matter", "max_customer_contacts_per_day"),
        traps=(
            "Only days that have matured count, the others are pending; unknown customers cannot repeat: they are "
            "left out, and counted as `fcr_unknown`, those of ids that many callers share among them "
            "(`shared_contacts`). A transferred contact, be it a reassigned ticket, counts for the agent at its end."
        ),
        traps_zh=(
            "只计观察期已满的日期，其余为“观察期未满”；未识别客户无法判断是否再次联系，不计入，"
            "另计为 `fcr_unknown`（包括多人共用的客户号，见 `shared_contacts`）。"
            "转接的联络（含转派的工单）归属最后的坐席。"
        ),
        version=3, matures="fcr_days", only_mature=True,
    ),
    Kpi(
        id="shared_contacts", zh="共用客户号的联络", en="Contacts of shared customer ids", unit="n", better="lower",
        formula=sum_of("contacts_shared"),
        formula_zh="客户号为多人共用的已处理联络数",
        formula_en="handled contacts whose customer id is that of many callers",
        needs=("call.*", "chat.*", "ticket.*"),
        policy_fields=("max_customer_contacts_per_day",),
        traps=(
            "An id with more contacts in one day of the operation than the policy allows (a withheld number, a test "
            "line, a front desk) is shared from that day on, in whatever order events come: nobody knows who its "
            "callers are, so that they are out of `repeat_contact_rate`, `repeat_complaint_rate` and `fcr`. It stays "
            "so until nothing has been heard of it for as long as contacts are remembered (33 days by default). Many "
            "of them: have the source leave out such ids."
        ),
        traps_zh=(
            "某客户号一天内的联络数超过口径设置规定的上限（隐藏号码、测试线、前台等），自当日起即视为多人共用，"
            "与事件到达的先后无关：无法识别客户身份，"
            "因此不计入 `repeat_contact_rate`、`repeat_complaint_rate` 和 `fcr`。"
            "直到该号长时间没有消息（超过联络的保留期，默认 33 天）为止。数量多时，请让数据源不要发送这类客户号。"
        ),
    ),
    Kpi(
        id="resolution_rate", zh="问题解决率", en="Resolution rate", unit="ratio", better="higher",
        formula=share(of="resolved", among="resolution_due"),
        formula_zh="已解决 / 应解决（结束、关闭或超期）",
        formula_en="resolved / due to be resolved (ended, closed or overdue)",
        needs=(
            "call.ended", "call.resolved", "chat.ended", "ticket.resolved", "ticket.closed", "ticket.pending",
            "ticket.resumed",
        ),
        policy_fields=("kinds", "due_hours_by_kind", "rating_credit", *STOPPING),
        traps=(
            "`resolved` false counts below; a call or chat that says nothing about it is left out. While its customer "
            "is awaited a ticket does not fall due, and its due time moves (policy)."
        ),
        traps_zh=(
            "`resolved` 为 false 计入分母；未说明是否解决的通话和会话不计。等待客户期间工单不会到期，"
            "时限顺延（可在口径设置中更改）。"
        ),
        version=2,
    ),
    Kpi(
        id="confirmed_resolution_rate", zh="回访确认解决率", en="Resolution confirmed in follow-ups",
        unit="ratio", better="higher",
        formula=share(of="resolutions_confirmed", among="contacts_followed_up"),
        formula_zh="回访时客户确认已解决的联络 / 回访问过是否解决的联络",
        formula_en="contacts whose customer says in a follow-up that they are resolved / contacts that a follow-up has asked about",
        needs=("*.followed_up",),
        policy_fields=("rating_credit",),
        traps=(
            "Told of the contact that was followed up, by its id, and not of the follow-up, which is a contact of its "
            "own. On the day the contact arrived, in the window of the last follow-up, of whoever handled it and not of "
            "whoever asked. Of several follow-ups the last answer counts, also if the ticket is opened again "
            "afterwards. resolution_rate does not look at it: a contact that its agent calls resolved and whose customer "
            "does not is resolved there and unconfirmed here. Where nobody was reached, tell nothing. A low n says "
            "little: who is called must be drawn by lot."
        ),
        traps_zh=(
            "以被回访联络的编号上报，统计的是被回访的联络；回访本身是另一次联络。统计日期为该联络的受理当日，"
            "统计窗口按最后一次回访；归属处理该联络的坐席，而非回访人。多次回访以最后一次答复为准，之后工单重开也不变。"
            "问题解决率不看回访：坐席记为已解决而客户否认的，在问题解决率中仍算已解决，在此不算确认。"
            "未联系上客户的不上报。样本量过少时参考价值低；回访对象应随机抽取。"
        ),
    ),
    Kpi(
        id="basic_resolution_rate", zh="基础问题解决率", en="Basic-question resolution", unit="ratio", better="higher",
        formula=share(of="basic_resolved", among="basic_resolution_due"),
        formula_zh="基础问题中，已解决 / 应解决", formula_en="resolved / due to be resolved, of basic questions",
        needs=(
            "kind = inquiry", "call.ended", "call.resolved", "chat.ended", "ticket.resolved", "ticket.closed",
            "ticket.pending", "ticket.resumed",
        ),
        policy_fields=(*SUBJECT, "due_hours_by_kind", "rating_credit", *STOPPING),
        traps=(
            "The resolution rate of what the policy puts under `basic` (`subjects`): the kind inquiry unless it says "
            "otherwise. The last kind, topic and queue told are the contact's."
        ),
        traps_zh=(
            "口径设置 `subjects` 中 basic 类联络的问题解决率，默认为 inquiry（咨询）。"
            "以最后一次标注的类型、业务类型和队列为准。"
        ),
    ),
    Kpi(
        id="technical_resolution_rate", zh="技术问题解决率", en="Technical resolution rate", unit="ratio", better="higher",
        formula=share(of="technical_resolved", among="technical_resolution_due"),
        formula_zh="技术问题中，已解决 / 应解决", formula_en="resolved / due to be resolved, of technical questions",
        needs=(
            "kind = technical", "call.ended", "call.resolved", "chat.ended", "ticket.resolved", "ticket.closed",
            "ticket.pending", "ticket.resumed",
        ),
        policy_fields=(*SUBJECT, "due_hours_by_kind", "rating_credit", *STOPPING),
        traps=(
            "The resolution rate of what the policy puts under `technical` (`subjects`): the kinds fault and technical and "
            "the topic technical, unless it says otherwise. The last kind, topic and queue told are the contact's."
        ),
        traps_zh=(
            "口径设置 `subjects` 中 technical 类联络的问题解决率，默认为 fault（报修、故障）与 technical（技术问题），"
            "以及业务类型为 technical 的。以最后一次标注的类型、业务类型和队列为准。"
        ),
    ),
    Kpi(
        id="return_completion_rate", zh="退换货达成率", en="Return and exchange completion", unit="ratio", better="higher",
        formula=share(of="returns_completed", among="returns_due"),
        formula_zh="退换货中，已达成（解决）/ 应办结", formula_en="resolved / due to be resolved, of returns and exchanges",
        needs=(
            "kind = return", "call.ended", "call.resolved", "chat.ended", "ticket.resolved", "ticket.closed",
            "ticket.pending", "ticket.resumed",
        ),
        policy_fields=(*SUBJECT, "due_hours_by_kind", "rating_credit", *STOPPING),
        traps=(
            "The resolution rate of what the policy puts under `return` (`subjects`): the kind return, which has "
            "exchanges, too, unless it says otherwise. One that is still open and not past its due time is not due."
        ),
        traps_zh=(
            "口径设置 `subjects` 中 return 类联络的问题解决率，默认为 return（退货、换货）。"
            "尚未办结且未到时限的不计入分母。"
        ),
    ),
    Kpi(
        id="urgent_response_time", zh="紧急请求响应时长", en="Response time of urgent requests", unit="s", better="lower",
        formula=mean(
            of=plus("urgent_call_response_seconds", for_each("first_response_channels", "urgent_{}_response_seconds")),
            over=plus("urgent_call_responses", for_each("first_response_channels", "urgent_{}_responses")),
            squares=plus(
                "urgent_call_response_seconds_squared",
                for_each("first_response_channels", "urgent_{}_response_seconds_squared"),
            ),
        ),
        formula_zh="VIP 与紧急联络的等待时长：通话到接听，会话到首次人工回复（均值）",
        formula_en="wait of VIPs and of what is urgent: for the answer to a call, for the first human reply in a chat (mean)",
        needs=("call.answered", "chat.message", "chat.handed_over", "chat.assigned", "ticket.replied"),
        policy_fields=("urgent_priorities", *SUBJECT, "first_response_channels", *FROM, *CLOCK),
        traps=(
            "Urgent: by `priority`, or of the policy's subject `urgent`, such as the shelf life of fresh food. Calls "
            "always; chats and tickets as `first_response_channels` says. Who was never answered has no time: look at "
            "`first_response_30s_rate~urgent`, too."
        ),
        traps_zh=(
            "紧急：按 `priority` 判定，或属于口径设置 `subjects` 中的 urgent（如生鲜保质期咨询）。通话始终计入；"
            "会话与工单按 `first_response_channels`。从未得到回应的没有时长，请同时关注 `first_response_30s_rate~urgent`。"
        ),
    ),
    Kpi(
        id="transfer_accuracy_rate", zh="转接精准率", en="Transfer accuracy", unit="ratio", better="higher",
        formula=share(of="transfers_accurate", among="transfers"),
        formula_zh="接手者办结的转出 / 已有结果的转出",
        formula_en="transfers that whoever got the contact handled to the end / transfers with an outcome",
        needs=(
            "call.transferred", "call.answered", "call.ended", "chat.transferred", "chat.ended", "ticket.reassigned",
            "ticket.resolved", "ticket.closed",
        ),
        traps=(
            "Wrong: whoever got it handed it on again, back included. Without an outcome: nobody took it, or they are at it "
            "still. Credited to whoever handed it on, and to the queue that it left."
        ),
        traps_zh=(
            "接手者再次转出（包括转回）的为不精准；无人接手或仍在处理的尚无结果，不计。归属转出的坐席和转出的队列。"
        ),
    ),
    Kpi(
        id="self_service_conversion_rate", zh="自助服务转化率", en="Self-service conversion", unit="ratio", better="higher",
        formula=share(of="self_service_contained", among="self_service_sessions"),
        formula_zh="在自助服务中结束的联络 / 由自助服务开始的联络",
        formula_en="sessions that ended without people / sessions that began in self-service",
        needs=("chat.message", "chat.handed_over", "chat.assigned", "chat.ended", "call.arrived", "call.queued"),
        policy_fields=("self_service_channels", "chat_session_hours"),
        traps=(
            "Of the desk, never of an agent. Chats in which a bot wrote before people had them; calls that reached the voice "
            "menu only where the policy says that it serves customers. Who gave up counts as served: read it beside "
            "`bot_unanswered_chats` and repeats. A session that fell silent ended after `chat_session_hours`."
        ),
        traps_zh=(
            "归属队列、职场等，不计入坐席。会话：先由机器人接待的；通话：仅当口径设置规定语音菜单可自助办理时，"
            "计到达语音菜单的来电。放弃离开的也算在自助服务中结束，请与 `bot_unanswered_chats`、重复联络率一同使用。"
            "无人再发言的会话，在 `chat_session_hours` 之后视为结束。"
        ),
    ),
)  # fmt: skip
