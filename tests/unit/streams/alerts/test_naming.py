"""Names in the texts of alerts, put in when somebody reads them; as it is kept and sent an alert has ids."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from streams.alerts import evaluate
from streams.alerts.naming import named
from streams.alerts.rules import Rule
from streams.contracts import events as e
from streams.contracts.outputs import Alert
from streams.kpi.labels import ENTITIES
from streams.languages import text
from streams.languages.text import Text
from streams.people.names import Names
from streams.people.person import Person
from tests.support.desk import Script

NAMES = Names([Person("A1", name_zh="李娜", name_latin="Li Na"), Person("A12", name_zh="王伟")])


LOW = Rule(id="low", zh="低", en="low", kpi="csat", window="30m", below=0.8, min_n=5, scope=("agent",))


def fired(agent: str) -> Alert:
    """The alert of an agent's bad ratings, as the kernel words it."""
    script = Script()
    for number in range(5):
        script.call(f"09:0{number}:00", f"c{number}", agent=agent, talk=10)
        script.at(f"09:0{number}:30", e.CallRated, f"c{number}", score=1, scale="1-5")
    script.at("09:06:00", e.CallArrived, "tick").at("09:20:00", e.CallArrived, "tock")
    told = script.run(rules=(LOW,), look_every=1).alerts
    return next(alert for alert in told if alert.entity == f"agent|{agent}")


@pytest.mark.parametrize(
    ("agent", "zh", "en"),
    [
        ("A1", "坐席 李娜 近30分钟", "agent Li Na, in"),
        ("A12", "坐席 王伟 近", "agent 王伟, in"),
        ("A", "坐席 A 近", "agent A, in"),
    ],
)
def test_the_agent_is_called_by_name(agent: str, zh: str, en: str) -> None:
    alert = fired(agent)
    shown = named(alert, lambda key: NAMES.in_texts(key.split("|")[1]))
    assert shown.reason_zh.startswith(zh)
    assert en in shown.reason_en
    assert (shown.entity, shown.value, shown.key) == (alert.entity, alert.value, alert.key)


def test_a_third_language_is_told_and_named_where_its_reader_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "reasons" not in msgspec.to_builtins(fired("A1"))
    monkeypatch.setattr(text, "LANGUAGES", ("zh", "en", "de"))
    monkeypatch.setattr(text, "SPOKEN", {**text.SPOKEN, "de": text.SPOKEN["en"]})
    monkeypatch.setitem(ENTITIES, "agent", Text("坐席 {}", "agent {}", de="Agent {}"))
    said = Text("坐席 A1 低于", "agent A1, below", de="Agent A1, unter")
    monkeypatch.setattr(evaluate, "_reason", lambda *_: said)
    alert = fired("A1")
    assert (alert.reason_en, alert.reasons) == ("agent A1, below", {"de": "Agent A1, unter"})
    li = Text("李娜", "Li Na", de="Li Na")
    assert named(replace(alert, reasons={**alert.reasons, "fr": "agent A1"}), lambda _: li).reasons == {
        "de": "Agent Li Na, unter", "fr": "agent A1"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "zh", "en"), [("team", "班组", "team"), ("queue", "队列", "queue"), ("site", "职场", "site")]
)
def test_units_are_called_by_name_too(kind: str, zh: str, en: str) -> None:
    alert = replace(
        fired("A1"), entity=f"{kind}|u1", reason_zh=f"{zh} u1 近5分钟", reason_en=f"KPI, {en} u1, in the last"
    )
    shown = named(alert, lambda key: Text("热线", "Hotline") if key == f"{kind}|u1" else None)
    assert (shown.reason_zh, shown.reason_en) == (f"{zh} 热线 近5分钟", f"KPI, {en} Hotline, in the last")
