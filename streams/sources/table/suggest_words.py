"""What columns and cells are called in the files of call centres, for ``suggest``: by these words a column is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

#: What a column may be → patterns of its name, the most telling first, parted by spaces. Names are looked at in small letters.
ROLES: Mapping[str, str] = {
    "version": r"last.?update modified changed 更新时间 修改时间",
    "contact": r"(?:通话|会话|呼叫|话单|工单)(?:id|编号|流水号|号) 流水号 (?:call|session|conversation|interaction|ticket|unique).?id "
    r"contact.?id (?:anruf|vorgangs?).?id \bref\b uuid ^id$ ^编号$ ^序号$ ^call$ ^chat$ ^ticket$",
    "abandoned": r"abandoned 是否放弃 是否呼损",
    "agent": r"坐席 座席 客服 工号 接线员 处理人 受理人 agent \bclerk\b server operator ^users?$ 员工 assignee",
    "customer": r"主叫 来电号码 客户号码 手机 电话号码 caller calling \bani\b ^src$ ^from$ anrufer 访客 客户 customer cust\b client phone "
    r"requester e?mail 会员",
    "queue": r"队列 技能组 业务组 客服组 热线 queue skill split hotline ^group$ 服务组 ^type$",
    "wait": r"等待 排队 应答速度 speed.of.answer wait q_time queue.?time total.queue \basa\b wartezeit",
    "hold": r"保持 hold",
    "wrap_up": r"话后 整理 事后 wrap.?up.?(?:time|sec|dur) after.?call \bacw\b nachbearb",
    "talk": r"通话时长 通话时间 billsec talk acd.?time gespr 时长 ser_time handle duration held",
    "answered": r"是否接通 是否接听 answered 接通状态 通话状态 outcome disposition 结果 状态 status",
    "resolved": r"是否解决 已解决 resolved fcr",
    "rating": r"满意度 评分 评价 rating score csat stars bewertung survey quality",
    "kind": r"^kind$ 工单类型 ticket.?type",
    "to_agent": r"^to$ to.?agent 转接给 转给",
    "topic": r"主题 话题 原因 诉求 业务类型 topic reason category subject",
    "taken_at": r"接听时间 应答时间 接通时间 answer(?:ed)?(?:.?at|.?time|.?date)?$",
    "started": r"呼入时间 进线时间 开始 来电时间 呼叫时间 创建时间 start began begin queued created called calldate arriv entry timestamp "
    r"came date/time 时间",
    "day": r"日期 ^date$ ^day$ call.?date",
    "clock": r"^time$ ^at$ 时刻 时间 vru_entry call.?time",
}
YES = frozenset(
    {
        *("y", "yes", "true", "1", "answered", "agent", "connected", "completed", "ans"),
        *("是", "已接", "已接听", "接通", "已接通", "接听", "成功", "已解决"),
    }
)
NO = frozenset(
    {
        *("n", "no", "false", "0", "hang", "abandoned", "missed", "no answer", "busy", "failed", "abn", "abandoned in queue"),
        *("否", "未接", "未接听", "未接通", "放弃", "排队放弃", "失败", "未解决"),
    }
)  # fmt: skip
#: What stands in cells that are empty.
BLANKS = frozenset(
    {
        "no_server",
        "no_agent",
        "no agent",
        "unassigned",
        "未分配",
        "-",
        "--",
        "—",
        "/",
        "\\n",
        "null",
        "none",
        "nan",
        "n/a",
        "#n/a",
        "nat",
        "无",
    }
)
#: Answers in words, and the score that stands for them; each set with its scale.
ANSWERS: tuple[tuple[str, Mapping[str, int]], ...] = (
    ("1-5", {"非常满意": 5, "满意": 4, "一般": 3, "不满意": 2, "非常不满意": 1}),
    ("1-5", {"非常满意": 5, "比较满意": 4, "一般": 3, "不满意": 2, "很不满意": 1}),
    ("binary", {"满意": 1, "不满意": 0}),
    ("binary", {"good": 1, "bad": 0}),
    ("1-5", {"very satisfied": 5, "satisfied": 4, "neutral": 3, "dissatisfied": 2, "very dissatisfied": 1}),
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|")


def _asterisk(row: Sequence[str]) -> bool:
    dispositions = ("ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION")
    return len(row) >= 16 and all(map(_TIME.fullmatch, row[9:12])) and row[14] in dispositions


def _freeswitch(row: Sequence[str]) -> bool:
    return (
        len(row) >= 11
        and all(map(_TIME.fullmatch, row[4:7]))
        and row[4] != ""
        and bool(re.fullmatch("[A-Z_]+", row[9]))
    )


#: Files without a header that are known by their rows, and the names of their columns.
HEADERLESS: tuple[tuple[Callable[[Sequence[str]], bool], str], ...] = (
    (
        _asterisk,
        "accountcode src dst dcontext clid channel dstchannel lastapp lastdata calldate answer end duration billsec disposition "
        "amaflags uniqueid userfield",
    ),
    (
        _freeswitch,
        "cid_name src destination_number context start answer end duration billsec hangup_cause uuid bleg_uuid accountcode "
        "read_codec write_codec",
    ),
    (
        lambda row: len(row) >= 5 and bool(re.fullmatch(r"1\d{9}(\.\d+)?", row[0]) and re.fullmatch("[A-Z]+", row[4])),
        "time callid queuename agent event data1 data2 data3 data4 data5",
    ),
)
#: Asterisk's queue_log: verb → the event, when it is one, and its fields.
QUEUE_LOG: Mapping[str, tuple[str, str]] = {
    "ENTERQUEUE": ("call.queued", "customer_id: pseudonym(data2)"),
    "CONNECT": ("call.answered", "agent_id: agent, wait_seconds: number(data1)"),
    "COMPLETECALLER": ("call.ended", "agent_id: agent, talk_seconds: number(data2), ended_by: '\"customer\"'"),
    "COMPLETEAGENT": ("call.ended", "agent_id: agent, talk_seconds: number(data2), ended_by: '\"agent\"'"),
    "ABANDON": ("call.abandoned", "wait_seconds: number(data3)"),
    "EXITWITHTIMEOUT": ("call.left_queue", "wait_seconds: number(data3)"),
    "EXITEMPTY": ("call.left_queue", "wait_seconds: number(data3)"),
    "EXITWITHKEY": ("call.abandoned", "wait_seconds: number(data4)"),
    "RINGNOANSWER": ("call.missed", "agent_id: agent, ring_seconds: number(data1) / 1000"),
}
#: What a history of one channel says in its column of verbs → the event. Of a message it says who sent it.
HISTORIES: Mapping[str, Mapping[str, str]] = {
    "chat": {
        **dict.fromkeys(("started", "开始", "会话开始"), "chat.started"),
        **dict.fromkeys(("customer", "访客", "客户", "visitor", "user"), "chat.message customer"),
        **dict.fromkeys(("agent", "客服", "坐席", "人工"), "chat.message agent"),
        **dict.fromkeys(("bot", "机器人", "robot"), "chat.message bot"),
        **dict.fromkeys(("assigned", "分配"), "chat.assigned"),
        **dict.fromkeys(("handed_over", "转人工"), "chat.handed_over"),
        **dict.fromkeys(("transferred", "转接"), "chat.transferred"),
        **dict.fromkeys(("ended", "结束", "会话结束", "closed"), "chat.ended"),
        **dict.fromkeys(("rated", "评价"), "chat.rated"),
    },
    "ticket": {
        **dict.fromkeys(("created", "new", "创建", "新建", "提交"), "ticket.created"),
        **dict.fromkeys(("assigned", "分配", "受理"), "ticket.assigned"),
        **dict.fromkeys(("replied", "回复"), "ticket.replied"),
        **dict.fromkeys(("pending", "挂起", "待客户回复"), "ticket.pending"),
        **dict.fromkeys(("resumed", "恢复"), "ticket.resumed"),
        **dict.fromkeys(("escalated", "升级"), "ticket.escalated"),
        **dict.fromkeys(("resolved", "solved", "已解决", "解决"), "ticket.resolved"),
        **dict.fromkeys(("reopened", "重开", "重新打开"), "ticket.reopened"),
        **dict.fromkeys(("closed", "关闭", "已关闭"), "ticket.closed"),
    },
    "call": {
        **dict.fromkeys(("queued", "排队", "进入队列"), "call.queued"),
        **dict.fromkeys(("answered", "connected", "接听", "接通"), "call.answered"),
        **dict.fromkeys(("missed", "未接"), "call.missed"),
        **dict.fromkeys(("left", "overflowed", "溢出"), "call.left_queue"),
        **dict.fromkeys(("abandoned", "放弃"), "call.abandoned"),
        **dict.fromkeys(("transferred", "转接"), "call.transferred"),
        **dict.fromkeys(("ended", "hangup", "挂断", "结束"), "call.ended"),
    },
}
