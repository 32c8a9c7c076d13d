"""Which language commands speak, and how a message finds its Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from streams.cli import app
from streams.commands.targets import targets
from streams.languages import translation
from streams.languages.translation import Catalogue, Template, helped, language, preferred, said

CATALOGUE = Catalogue(
    help={"Take a file in.": "导入文件。"},
    messages={
        "is empty; write a day like 2026-03-01": "为空；请填写日期，如 2026-03-01",
        "is empty; say which {a}": "为空；请填写是哪个 {a}",
        "no KPI is called {a}; {why_b}": "没有名为 {a} 的指标；{why_b}",
        "nearest: {a}": "最接近的：{a}",
        "{a} is no date; write it like 2026-03-01": "{a} 不是日期；请写成 2026-03-01 的形式",
        "{file}, row {row}, {column}: {why}": "{file} 第 {row} 行，{column}：{why}",
        "{why_a}, see {b}": "{why_a}，见 {b}",
        "sent: {a} rows": "已发送：{a} 行",
        "Value error, {why_a}": "{why_a}",
        "{a} is not one of {b}.": "{a} 不在 {b} 之中。",
    },
    colon="：",
)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C.UTF-8", "LC_MESSAGES": "zh_CN"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "DESKPULSE_LANGUAGE": "en"}, "en"),
        ({"LC_ALL": "C", "DESKPULSE_LANGUAGE": "zh"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_TW"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "../zh"}, "en"),
    ],
)
def test_the_language_is_the_locales_unless_it_is_said(environment: dict[str, str], expected: str):
    assert language(environment) == expected


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.2, zh;q=0.3", "zh"),
        ("fr, de;q=0.9, zh;q=0.1", "zh"),
        ("zh;q=0, en", "en"),
        ("zh;q=much, en;q=0.1", "en"),
        ("*", "en"),
        ("," * 100_000 + "zh", "en"),
    ],
)
def test_a_request_is_answered_in_the_language_that_it_likes_best(accepted: str, expected: str):
    assert preferred(accepted) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("is empty; write a day like 2026-03-01", "为空；请填写日期，如 2026-03-01"),
        ("t.csv, row 3, due: '3/x' is no date; write it like 2026-03-01", "t.csv 第 3 行，due：'3/x' 不是日期；请写成 2026-03-01 的形式"),
        ("t.csv, row 3, kpi: no KPI is called 'x'; nearest: csat", "t.csv 第 3 行，kpi：没有名为 'x' 的指标；最接近的：csat"),
        ("t.csv, row 2, id: is empty; say which team\nt.csv, row 9, id: nobody knows", "t.csv 第 2 行，id：为空；请填写是哪个 team\nt.csv 第 9 行，id：nobody knows"),
        ("c.yaml:23: band: is empty; say which team", "c.yaml:23：band：为空；请填写是哪个 team"),
        ("Value error, 'x' is not one of 'a'.", "'x' 不在 'a' 之中。"),
        ("--kpi: Value error, no KPI is called 'x'; nearest: csat", "--kpi：没有名为 'x' 的指标；最接近的：csat"),
        ("the disk is full: /var", "the disk is full: /var"),
        ("sent: 3 rows, see r.jsonl", "已发送：3 行，见 r.jsonl"),
    ],
)  # fmt: skip
def test_a_message_is_known_by_its_words_whatever_its_values(message: str, expected: str):
    assert CATALOGUE.said(message) == expected


@pytest.mark.parametrize(
    ("template", "line", "expected"),
    [
        ("{a}, {b}: {c}", "x, y, z: 1: 2", {"a": "x", "b": "y, z", "c": "1: 2"}),
        ("{a}{b}; keep", "one; keep", {"a": "", "b": "one"}),
        ("{a} and {b} and {c}", "1 and 2", None),
        ("ab{a}bc", "abc", None),
        # Where each start is tried with each end, this has more of them than there is time.
        ("{a}, {b}: {c}, {d}: {e}, {f}: {g}; mend it", ", : " * 20_000, None),
    ],
)
def test_values_are_what_stands_between_a_templates_words(template: str, line: str, expected: dict[str, str] | None):
    assert Template.of(template).values(line) == expected


def test_a_message_of_very_many_parts_is_told_all_the_same():
    parts = "a: " * 5_000
    assert CATALOGUE.said(f"t: {parts}") == f"t: {parts}"


def test_help_is_looked_up_by_paragraph():
    assert CATALOGUE.help_said("Take\na file in.\n\nTwice.") == "导入文件。\n\nTwice."


def test_commands_and_all_below_them_are_in_the_language_of_whoever_asks(monkeypatch: pytest.MonkeyPatch):
    command = get_group(targets)
    monkeypatch.setenv("DESKPULSE_LANGUAGE", "en")
    helped(command)
    assert command.help.startswith("What is to be reached")
    monkeypatch.setenv("DESKPULSE_LANGUAGE", "zh")
    helped(command)
    assert command.help == "目标值：大屏、告警规则和评分卡以此为准。"
    assert command.commands["show"].help == "有效的目标值，以及由谁在何时设定。"
    assert {one.name: one.help for one in command.commands["show"].params}["history"] == "全部版本，而不只是有效的"


def test_what_is_refused_is_told_in_the_language_of_whoever_asks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DESKPULSE_LANGUAGE", "en")
    assert said("say who does this: --by ID") == "say who does this: --by ID"
    monkeypatch.setenv("DESKPULSE_LANGUAGE", "zh")
    assert said("say who does this: --by ID") == "请注明由谁操作：--by ID"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("nosuch", "没有命令 'nosuch'。"),
        ("kpi nosuch", "没有命令 'nosuch'。"),
        ("kpi list --aera x", "没有选项 --aera（相近的选项：--area）"),
        ("kpi show", "缺少参数 'ID'。"),
        ("roster import", "缺少参数 'file'。"),
        ("kpi list --area", "选项 '--area' 需要一个值。"),
        ("kpi list more", "多余的参数：more"),
        ("facts export --per week", "'--per' 的值无效：'week' 不在可选值之中："),
        ("facts export --from 1.2.2026", "'--from' 的值无效：'1.2.2026' 不是日期；请写成 2010-08-31 的形式"),
        ("wallboard --port 99999", "'--port' 的值无效：须不大于 65535"),
        ("wallboard --port x", "'--port' 的值无效：须为整数"),
        ("roster import /no/such.csv", "无法读取 /no/such.csv：文件或目录不存在；"),
    ],
)
def test_what_cannot_be_typed_is_told_in_the_language_of_whoever_types(
    typed: str, told: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DESKPULSE_LANGUAGE", "zh")
    monkeypatch.setenv("COLUMNS", "200")
    answer = CliRunner().invoke(app, typed.split())
    assert answer.exit_code != 0
    assert told in answer.stderr
    assert "Usage: " not in answer.stderr
    monkeypatch.setenv("DESKPULSE_LANGUAGE", "en")
    assert "Usage: " in CliRunner().invoke(app, ["kpi", "nosuch"]).stderr
    assert "No such command 'nosuch'" in CliRunner().invoke(app, ["kpi", "nosuch"]).stderr


def test_a_third_language_says_what_it_has_and_the_rest_in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = tmp_path / "de.yaml"
    own.write_text('libraries: {"No such command {a}.": "Den Befehl {a} gibt es nicht."}\n', encoding="utf-8")
    monkeypatch.setattr(translation, "_file", lambda _: own)
    found = translation.catalogue.__wrapped__("zh")
    assert found.said("No such command 'x'.") == "Den Befehl 'x' gibt es nicht."
    assert (found.said("nothing to bring back"), found.help_said("As JSON")) == ("nothing to bring back", "As JSON")
