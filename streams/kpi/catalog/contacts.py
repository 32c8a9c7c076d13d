"""KPIs of contacts of all channels: repeats and resolution."""

from __future__ import annotations

from streams.kpi.notation import less, share, sum_of
from streams.kpi.policy.model import STOPPING
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
)  # fmt: skip
