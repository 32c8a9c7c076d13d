"""A month of a Chinese chat desk in miniature: a bot is first, the hand-over is told or not, threads are opened again, clocks have minutes only.

Counted by hand. Of the fifteen conversations of twelve threads ten came to people (due): within the same minute k1, k3, k10, k12 and the
third of k9 (in time); k2 after 3 minutes, k4 after 2, k11 and the second of k9 after 1; nobody came to k7. k5 and the first of k9 were settled by the
bot; k6 and the second of k10 wrote last after it and got nobody; k8 left within the minute.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import app

MAPPING = """
source: 在线客服
time_zone: Asia/Shanghai
customer_ids: pseudonymous
contact_id: 会话
datetime_format: "%Y/%m/%d %H:%M"
lookups:
  sender: {访客: customer, 客服: agent, 机器人: bot}
fields: {customer_id: 访客号}
events:
  - {type: chat.message, when: '发送方 in ("访客", "客服", "机器人")', time: datetime(时间), id: 'join("-", 会话, 序号)',
     fields: {sender: sender(发送方), agent_id: 坐席}}
  - {type: chat.handed_over, when: '发送方 == "转人工"', time: datetime(时间), id: 'join("-", 会话, 序号)', fields: {bot: 坐席, queue_id: '"售前"'}}
  - {type: chat.assigned, when: '发送方 == "接入"', time: datetime(时间), id: 'join("-", 会话, 序号)', fields: {agent_id: 坐席}}
  - {type: chat.ended, when: '发送方 == "结束"', time: datetime(时间), id: 'join("-", 会话, 序号)'}
"""
#: Thread: what happened, as day of March, time, who, and whose name.
MONTH = {
    "k1": "2 9:00 访客 | 2 9:00 机器人 | 2 9:04 访客 | 2 9:05 转人工 小智 | 2 9:05 客服 李 | 2 9:20 结束",
    "k2": "2 10:00 访客 | 2 10:00 机器人 | 2 10:10 转人工 小智 | 2 10:13 客服 李 | 2 10:30 结束",
    "k3": "3 11:00 访客 | 3 11:00 机器人 | 3 11:06 访客 | 3 11:06 客服 王 | 3 11:30 结束",
    "k4": "3 14:00 机器人 | 3 14:01 访客 | 3 14:01 机器人 | 3 14:07 访客 | 3 14:08 接入 王 | 3 14:09 客服 王 | 3 14:30 结束",
    "k5": "4 9:00 访客 | 4 9:01 机器人 | 4 9:02 访客 | 4 9:02 机器人 | 4 9:30 结束",
    "k6": "5 9:00 访客 | 5 9:00 机器人 | 5 9:03 访客 | 5 9:30 结束",
    "k7": "6 20:00 访客 | 6 20:00 机器人 | 6 20:01 转人工 小智 | 6 20:05 结束",
    "k8": "6 21:00 访客 | 6 21:00 机器人 | 6 21:00 转人工 小智 | 6 21:00 结束",
    "k9": "9 9:00 访客 | 9 9:00 机器人 | 9 9:10 结束 | 12 9:00 访客 | 12 9:00 机器人 | 12 9:02 转人工 小智 | 12 9:03 客服 李 | 12 9:10 结束"
    " | 20 15:00 访客 | 20 15:00 客服 王 | 20 15:30 结束",
    "k10": "10 10:00 访客 | 10 10:00 机器人 | 10 10:02 访客 | 10 10:02 客服 李 | 16 16:00 访客 | 16 16:00 机器人 | 16 16:01 访客",
    "k11": "18 8:30 访客 | 18 8:31 客服 王 | 18 8:50 结束",
    "k12": "19 13:00 访客 | 19 13:00 机器人 | 19 13:00 转人工 小智 | 19 13:00 客服 李 | 19 13:02 访客 | 19 13:05 客服 李 | 19 13:30 结束",
}
ORDERS: dict[str, Callable[[list[str]], list[str]]] = {"as told": list, "newest first": lambda rows: rows[::-1]}


def rows() -> list[str]:
    """The month as a table has it."""
    found = []
    for thread, told in MONTH.items():
        for number, line in enumerate(told.split(" | ")):
            day, time, who, *whose = line.split()
            found.append(f"{thread},v{thread},{number},2026/03/{int(day):02} {time:0>5},{who},{''.join(whose)}")
    return found


def figures(folder: Path, table: list[str], by: str) -> dict[str, dict[str, Any]]:
    (folder / "chats.csv").write_text("\n".join(["会话,访客号,序号,时间,发送方,坐席", *table, ""]), encoding="utf-8")
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    command = ["facts", "compute", str(folder / "chats.csv"), "-m", str(folder / "mapping.yaml")]
    result = CliRunner().invoke(app, [*command, "--by", by, "--per", "total", "--format", "json"])
    assert result.exit_code == 0, result.output
    return {row["id"]: row for row in json.loads(result.stdout)}


@pytest.mark.parametrize("order", ORDERS)
def test_the_month_is_as_counted_by_hand(order: str, tmp_path: Path) -> None:
    table = ORDERS[order](rows())
    desk = figures(tmp_path, table, "all")["all"]
    assert (desk["first_responses_within_30s"], desk["first_responses_due"]) == (5, 10)
    assert (desk["first_response_time"], desk["first_response_time.n"]) == (pytest.approx(420 / 9), 9)
    assert (desk["avg_response_time"], desk["avg_response_time.n"]) == (60, 10)
    assert (desk["response_delay_rate"], desk["bot_unanswered_chats"]) == (0.2, 2)
    people = figures(tmp_path, table, "agent")
    due = {name: (row["first_responses_within_30s"], row["first_responses_due"]) for name, row in people.items()}
    assert due == {"李": (3, 5), "王": (2, 4)}
