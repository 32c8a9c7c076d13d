"""All that commands and servers say, in help and of what they did or refuse, has its Chinese; and nothing there is of yesterday."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_core._pydantic_core import list_all_errors
from typer.main import get_command

from streams.cli import app
from streams.languages.translation import catalogue, paragraphs
from tests.support.messages import plain, templates

ROOT = Path(__file__).parents[2]
#: Typer's and its shell's own words, which no command of ours states.
TYPERS = re.compile(
    r"Arguments|Options|Commands|Error|Aborted\.|Usage: |COMMAND \[ARGS\]\.\.\.|\[.*\]|Show this message and exit\.|Try \[blue\].*"
)
SHELL = ("Install completion", "Show completion")
CHINESE = catalogue("zh")
#: Messages of libraries, which no source of ours states.
OF_LIBRARIES = yaml.safe_load((ROOT / "streams/languages/translation/zh.yaml").read_text("utf-8"))["libraries"]
#: What pydantic says of Python's own objects only, which nobody types or sends.
OF_PYTHON = {
    *("no_such_attribute", "needs_python_object", "recursion_loop", "recursion_depth_exceeded", "get_attribute_error"),
    *("frozen_field", "frozen_instance", "default_factory_not_called", "iterable_type", "iteration_error"),
    *("dataclass_type", "dataclass_exact_type", "named_tuple_type", "string_not_ascii", "frozen_dict_type"),
    *("ordered_dict_type", "counter_type", "mapping_type", "deque_type", "set_item_not_hashable", "frozen_set_type"),
    *("bytes_type", "bytes_too_short", "bytes_too_long", "bytes_invalid_encoding", "missing_sentinel_error"),
    *("ellipsis_error", "timezone_offset", "is_instance_of", "is_subclass_of", "callable_type", "arguments_type"),
    *("missing_argument", "unexpected_keyword_argument", "missing_keyword_only_argument", "multiple_argument_values"),
    *("unexpected_positional_argument", "missing_positional_only_argument", "url_syntax_violation", "uuid_type"),
    *("uuid_parsing", "uuid_version", "fraction_type", "fraction_parsing", "complex_type", "complex_str_parsing"),
}
#: Here it is told what people have asked for or handed in: commands, servers, sheets, people, targets, roster, units, duties, mappings,
#: inputs, cards, periods, runs.
TELLING = (
    *("streams/commands", "streams/commands/shared", "scoring/commands", "scoring/reports/files.py"),
    *("streams/doors.py", "streams/wallboard", "scoring/api", "scoring/connector/push.py"),
    *("streams/tabular.py", "streams/targets/sheet.py", "streams/targets/taking.py", "streams/people/sheet.py"),
    *("streams/people/duty_sheet.py", "streams/people/duty.py", "streams/people/units.py", "streams/people/store.py"),
    *("streams/people/names.py", "streams/sources/table", "streams/sources/expressions"),
    *(
        "streams/worker/supervisor.py",
        "streams/web",
        "streams/gateway",
        "scoring/month_pages.py",
        "scoring/web",
        "streams/archive",
    ),
    *("streams/history/questions.py", "streams/history/pages.py", "streams/rewriting.py"),
    *("scoring/inputs/sheet.py", "scoring/inputs/validation.py", "scoring/inputs/values.py", "scoring/period.py"),
    "scoring/inputs/ballots.py",
    *("scoring/yaml_documents.py", "scoring/cards", "scoring/rules"),
    *("scoring/workflow", "scoring/store/runs.py", "scoring/store/tokens.py", "scoring/store/due_days.py"),
)
#: Names of columns, which programs read.
COLUMNS = ("base top{}", "base bottom{}")


@cache
def helps() -> dict[str, str]:
    """Every paragraph of every command's help → where it stands."""
    found: dict[str, str] = {}

    def look(command: Any, path: str) -> None:
        told = [command.help, command.epilog, *(getattr(one, "help", None) for one in command.params)]
        for text in filter(None, told):
            for part in paragraphs(text):
                if not part.startswith(SHELL):
                    found.setdefault(part, path)
        below = getattr(command, "commands", {})
        for name in command.list_commands(None) if below else ():
            look(below.get(name), f"{path} {name}")

    look(get_command(app), "deskpulse")
    return found


def modules() -> Iterator[Path]:
    for place in TELLING:
        path = ROOT / place
        yield from sorted(path.glob("*.py")) if path.is_dir() else (path,)


def sayings(text: str) -> bool:
    """Is it enough of a sentence to be known again by? Two words, of which one says something."""
    return len(re.findall("[a-z]{2,}", plain(text))) > 1


def test_every_help_text_has_its_chinese():
    lacking = {text: where for text, where in helps().items() if text not in CHINESE.help}
    assert not lacking, "write the Chinese of these into streams/languages/translation/zh.yaml"


def test_no_chinese_help_is_of_a_text_that_is_gone():
    stale = [text for text in CHINESE.help if text not in helps() and not TYPERS.fullmatch(text)]
    assert not stale, "take these out of streams/languages/translation/zh.yaml"


def test_all_that_is_told_has_its_chinese():
    known = {plain(text) for text in CHINESE.messages}
    lacking = [text for text in templates(modules()) if sayings(text) and text not in known and text not in COLUMNS]
    assert not lacking, "write the Chinese of these into streams/languages/translation/zh.yaml"


def test_no_chinese_message_is_of_a_text_that_is_gone():
    sources = [path for package in ("streams", "scoring") for path in (ROOT / package).rglob("*.py")]
    said = set()
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
                said.add("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.add(node.value)
    ours = CHINESE.messages.keys() - OF_LIBRARIES.keys()
    stale = [text for text in ours if plain(text) not in said and not _is_part(plain(text), said)]
    assert not stale, "take these out of streams/languages/translation/zh.yaml"


def test_what_does_not_fit_a_request_has_its_chinese():
    known = {plain(text) for text in OF_LIBRARIES}
    lacking = []
    for error in list_all_errors():
        for kind in ("message_template_python", "message_template_json"):
            text = error.get(kind) or ""
            for ending in ("", "s"):  # one character, three characters
                said = plain(text.replace("{expected_plural}", ending))
                if said and error["type"] not in OF_PYTHON and said not in known:
                    lacking.append((error["type"], said))
    assert not lacking, "write the Chinese of these into streams/languages/translation/zh.yaml, under libraries"


def _is_part(text: str, said: set[str]) -> bool:
    """Is it put together from pieces, such as ``person {}`` and ``item {}``?"""
    return all(piece in said for piece in re.split(", |: ", text.removesuffix(": ")))


@pytest.mark.parametrize("kind", ["help", "messages"])
def test_a_translation_has_the_commands_and_values_of_its_source(kind: str):
    wrong = []
    for en, zh in getattr(CHINESE, kind).items():
        code = sorted(re.findall("`[^`]+`", en))
        names = sorted(re.findall(r"\{\w*\}", en))
        if code != sorted(re.findall("`[^`]+`", zh)) or names != sorted(re.findall(r"\{\w*\}", zh)):
            wrong.append((en, zh))
    assert not wrong


def test_the_page_has_its_words_in_both_languages():
    static = ROOT / "streams/wallboard/static"
    _, *parts = re.split(r"^  (\w+): \{$", (static / "texts.js").read_text("utf-8"), flags=re.MULTILINE)
    words = {
        code: set(re.findall(r"^    (\w+):", own, re.MULTILINE))
        for code, own in zip(parts[::2], parts[1::2], strict=True)
    }
    page = (static / "index.html").read_text("utf-8")
    named = set(re.findall(r'data-(?:text|title|label|placeholder)="(\w+)"', page))
    for script in static.glob("*.js"):
        named |= set(re.findall(r"\bt\(\)\.(\w+)", script.read_text("utf-8")))
    assert len(named) > 50
    assert (words["zh"] ^ words["en"], named - words["en"]) == (set(), set())
