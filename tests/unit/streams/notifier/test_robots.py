"""Robots of chats: what their answers mean, how many bytes they get, how they are signed, how often they are asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random

import pytest

from streams.notifier.channels.channel import Parcel
from streams.notifier.channels.dingtalk import dingtalk, signed
from streams.notifier.channels.feishu import feishu, signature
from streams.notifier.channels.robots import Robot
from streams.notifier.channels.wecom import wecom
from streams.notifier.message import Link, Message, Recipient, encoded, fit
from streams.notifier.rates import Rate, free_at
from tests.support.robots import SECRET, FakeRobot, Kind

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CJK = "客户满意度低于坐席班组队列售后服务热线等待时长超过告警线张伟王芳李娜刘洋𠮷\U0001f514"


def fake(kind: Kind, secret: str | None = None) -> FakeRobot:
    return FakeRobot(kind, AT.timestamp, secret)


def robot(of: FakeRobot) -> Robot:
    match of.kind:
        case "dingtalk":
            return dingtalk(of.url, of.secret, client=of.client)
        case "feishu":
            return feishu(of.url, of.secret, client=of.client)
    return wecom(of.url, client=of.client)


def message(**given: object) -> Message:
    return Message(
        **{"language": "zh", "severity": "critical", "title": "满意度低于80%", "lines": ("班组 T2 72.0%",), **given}
    )  # type: ignore[arg-type]


def parcel(of: Message) -> Parcel:
    return Parcel("msg_1", of, {}, AT)


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "feishu"])
@pytest.mark.parametrize(
    ("fault", "result"),
    [
        (None, "told"),
        ("down", "unavailable"),
        ("slow", "unknown"),
        ("lost", "unknown"),
        ("500", "unknown"),
        ("500 taken", "unknown"),
        ("503", "unavailable"),
    ],
)
def test_what_is_known_after_a_try(kind: Kind, fault: str | None, result: str) -> None:
    there = fake(kind)
    there.broken = fault
    assert robot(there).send(parcel(message())).result == result


@pytest.mark.parametrize(
    ("kind", "code", "result", "wait"),
    [
        ("dingtalk", 310000, "unavailable", None),  # bad signature, or a word that is lacking: it is set up wrongly
        ("dingtalk", 410100, "unavailable", 600),
        ("dingtalk", 460101, "refused", None),
        ("wecom", 45009, "unavailable", 60),
        ("wecom", 93000, "unavailable", None),
        ("wecom", 40058, "refused", None),
        ("feishu", 9499, "unavailable", 60),
        ("feishu", 11232, "unavailable", 60),
        ("feishu", 19021, "unavailable", None),
        ("feishu", 230001, "refused", None),
    ],
)
def test_an_answer_of_200_with_a_code_is_no_success(kind: Kind, code: int, result: str, wait: float | None) -> None:
    there = fake(kind)
    there.broken = str(code)
    outcome = robot(there).send(parcel(message()))
    assert (outcome.result, outcome.wait_seconds) == (result, wait)
    assert str(code) in outcome.said


def test_a_page_that_is_no_robots_answer_is_no_success() -> None:
    there = fake("wecom")
    import httpx

    there.answer = lambda request: httpx.Response(200, text="<html>log in</html>")  # type: ignore[method-assign]
    assert robot(there).send(parcel(message())).result == "unknown"


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
def test_signatures_are_taken_and_wrong_ones_are_not(kind: Kind) -> None:
    there = fake(kind, SECRET)
    assert robot(there).send(parcel(message())).result == "told"
    there.secret = "another"
    wrong = (
        dingtalk(there.url, SECRET, client=there.client)
        if kind == "dingtalk"
        else feishu(there.url, SECRET, client=there.client)
    )
    assert wrong.send(parcel(message())).result == "unavailable"


def test_signatures_are_those_of_the_documentation() -> None:
    # Worked out by openssl: printf '%s' TEXT | openssl dgst -sha256 -hmac KEY -binary | base64
    at = datetime.fromtimestamp(1_599_360_473, UTC)
    assert signature("demo", at) == {"timestamp": "1599360473", "sign": "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="}
    assert signed("https://d.test/robot/send?access_token=x", "SECabc", at) == (
        "https://d.test/robot/send?access_token=x&timestamp=1599360473000&sign=3SJkK5Fm70JVVkwmvZFkgdPlr53Kn2utLHLz9DzuOSc%3D"
    )


def test_no_text_is_over_its_bytes_for_10_000_random_chinese_rosters() -> None:
    random = Random(24)
    there = {kind: fake(kind) for kind in ("dingtalk", "wecom", "feishu")}
    robots = {kind: robot(one) for kind, one in there.items()}

    written = "".join(random.choices(CJK, k=10_000))

    def words(most: int) -> str:
        begin = random.randrange(4_000)
        return written[begin : begin + random.randint(1, most)]

    shown = 0
    for number in range(10_000):
        kind = ("dingtalk", "wecom", "feishu")[number % 3]
        size = int(10 ** random.uniform(0, 2.5))
        line = words(40)
        people = tuple(Recipient(words(4), f"u{index}") for index in range(random.randint(0, 3)))
        links = (
            Link("认领", "https://a.test/acknowledge/" + "x" * random.randint(10, 200)),
            Link("查看联络", "https://desk.test/#/contacts?" + "x" * random.randint(60, 990)),
            Link("打开大屏", "https://board.test/"),
        )[: random.randint(0, 3)]
        one = message(
            title=words(random.choice((20, 20, 20, 3000))), roster=tuple(f"{line}{index}" for index in range(size)), more="……另有 {} 项",
            lines=tuple(words(random.choice((30, 30, 30, 6000))) for _ in range(random.randint(0, 4))),
            people=people, links=links, copy=random.choice(("", "可能重复")),
        )  # fmt: skip
        body = robots[kind].body(one)
        if kind == "wecom":
            assert len(body["markdown"]["content"].encode()) <= 4_096
        else:
            assert len(encoded(body)) <= (20_000 if kind == "dingtalk" else 19_500)
        text = json.dumps(body, ensure_ascii=False)
        assert "可能重复" in text or not one.copy
        shown += text.count(line)
    assert shown > 100_000


def test_as_much_of_a_roster_is_shown_as_fits() -> None:
    one = message(roster=tuple(f"坐席 A{number}" for number in range(1000)), more="……另有 {} 项")
    text = robot(fake("wecom")).body(one)["markdown"]["content"]
    shown = text.count("坐席 A")
    assert f"……另有 {1000 - shown} 项" in text
    assert 4_096 - 40 < len(text.encode()) <= 4_096


def test_what_people_write_calls_nobody_and_leads_nowhere() -> None:
    one = message(lines=("<@all> [x](https://evil.test) **@所有人**\n# h",), roster=("<at id=all></at>",))
    for kind in ("dingtalk", "wecom", "feishu"):
        text = json.dumps(robot(fake(kind)).body(one), ensure_ascii=False)
        assert "<@all>" not in text
        assert "<at" not in text
        assert "](https" not in text


def test_those_on_duty_are_called_as_each_chat_does() -> None:
    one = message(people=(Recipient("张伟", "zw", "z@x.test"), Recipient("nobody known")))
    assert robot(fake("dingtalk")).body(one)["at"] == {"atUserIds": ["zw"], "isAtAll": False}
    assert "<@zw>" in robot(fake("wecom")).body(one)["markdown"]["content"]
    assert "<at id=zw></at>" in json.dumps(robot(fake("feishu")).body(one))


def test_a_limit_that_nothing_fits_into_is_said() -> None:
    with pytest.raises(ValueError, match="no message fits into 3"):
        fit(message(), lambda one: one.title + "xxxx", len, 3)


def test_a_rate_says_from_when_on_one_more_may_be_sent() -> None:
    rates = (Rate(2, 60), Rate(1, 1))
    assert free_at(rates, [], 5_000) == 5_000
    assert free_at(rates, [4_500], 5_000) == 5_500
    assert free_at(rates, [1_000, 4_000], 6_000) == 61_000
