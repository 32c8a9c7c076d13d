"""KPIs of contacts of all channels: repeats and resolution."""

from __future__ import annotations

from streams.kpi.spec import Kpi

CONTACTS = (
    Kpi(
        "repeat_contact_rate", "重复来电率", "Repeat contact rate", "rate", "ratio", "lower",
        lambda p, s: ({"repeat_contacts": 1}, {"contacts_handled_known": 1}),
        "客户在期限内就同一主题再次来访的联络 / 已知客户的联络",
        "handled contacts whose customer returns on the same topic in time / handled with known customer",
        ("call.*", "chat.*", "ticket.*"),
        ("repeat_days", "same_matter"),
        "Charged to the agent, and counted on the day, of the earlier contact; any arrival counts as a return, the voice "
        "menu included; what the same matter is: policy; a topic missing on either side matches any.",
        traps_zh="计到前一次联络的坐席和日期；任何再次到达都算再次来访，包括只到语音菜单的；何为同一事项由政策规定；任何一方缺少主题时视为匹配。",
    ),
    Kpi(
        "resolution_rate", "问题解决率", "Resolution rate", "rate", "ratio", "higher",
        lambda p, s: ({"resolved": 1}, {"resolution_due": 1}),
        "已解决 / 应解决（结束、关闭或超期）", "resolved / due to be resolved (ended, closed or overdue)",
        ("call.ended", "chat.ended", "ticket.resolved", "ticket.closed"),
        traps="`resolved` false counts below; a call or chat that says nothing about it is left out.",
        traps_zh="`resolved` 为 false 计入分母；未说明是否解决的通话和会话不计。",
    ),
)  # fmt: skip
