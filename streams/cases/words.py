"""What is said of cases, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

from streams.cases.case import Case, CaseKind, CaseStatus, StepKind
from streams.languages.text import Text

KINDS: Mapping[CaseKind, Text] = {
    "bad_rating": Text("差评", "bad rating"),
    "repeat_complaint": Text("重复投诉", "repeat complaint"),
    "incident": Text("告警事件", "incident"),
    "call_back": Text("回访", "call back"),
}
STATUSES: Mapping[CaseStatus, Text] = {
    "open": Text("处理中", "open"),
    "closed": Text("已关闭", "closed"),
    "withdrawn": Text("已撤销", "withdrawn"),
}
STEPS: Mapping[StepKind, Text] = {
    "opened": Text("新建", "new"),
    "assigned": Text("已指派", "assigned"),
    "noted": Text("备注", "note"),
    "reminded": Text("即将到期", "soon due"),
    "overdue": Text("已超时", "overdue"),
    "escalated": Text("已升级", "escalated"),
    "withdrawn": Text("已撤销", "withdrawn"),
    "reopened": Text("重新打开", "opened again"),
    "closed": Text("已关闭", "closed"),
    "weighed": Text("重要程度已调整", "weighed anew"),
}
_TITLE, _TITLE_ALONE = Text("{kind}：{what}", "{kind}: {what}"), Text("{kind}", "{kind}")
_CONTACT = Text("{channel} {contact}", "{channel} {contact}")
CHANNELS: Mapping[str, Text] = {
    "calls": Text("电话", "call"),
    "chats": Text("在线会话", "chat"),
    "tickets": Text("工单", "ticket"),
}


def title(case: Case) -> Text:
    """A case in a few words."""
    about = case.about
    if about.contact_id is not None:
        channel = CHANNELS.get(about.channel or "", Text(about.channel or "", about.channel or ""))
        what = _CONTACT.format(channel=channel, contact=about.contact_id)
    elif about.said_zh or about.said_en:
        what = Text(about.said_zh or about.said_en, about.said_en or about.said_zh)
    else:
        return _TITLE_ALONE.format(kind=KINDS[about.kind])
    return _TITLE.format(kind=KINDS[about.kind], what=what)
