"""Chinese texts of the program are in the words of docs/glossary.md and written as Chinese is: every text, also one that is new."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.kpi.catalog import KPIS

ROOT = Path(__file__).parents[2]
CJK = re.compile("[\u4e00-\u9fff]")
#: Words that others write and the program reads: they are as they are found.
READ = (
    *("streams/sources/", "streams/kpi/policy/", "streams/tabular.py", "scoring/inputs/validation.py"),
    *("streams/people/duty_sheet.py", "streams/targets/sheet.py"),
)
#: Forms of customers, quoted: of these only what is noted about them is ours.
QUOTED = "scoring/cards/library/"


@dataclass(frozen=True)
class Text:
    """A literal of a file, ``{}`` for each value in it."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Ban:
    """What no text has, and what stands in its place."""

    what: re.Pattern[str]
    write: str
    because: str
    but_in: tuple[str, ...]

    def allows(self, text: Text) -> bool:
        return text.file.startswith(self.but_in) or not self.what.search(text.text)


def _bans(kind: str) -> list[Ban]:
    given = yaml.safe_load((ROOT / "tests/contract/chinese.yaml").read_text("utf-8"))[kind]
    return [
        Ban(re.compile(one["not"]), one["write"], one.get("because", ""), tuple(one.get("but_in", ()))) for one in given
    ]


def _python(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | within:
            yield node.lineno, node.value


def _script(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for found in re.finditer(r'"([^"\n]*)"|`([^`\n]*)`', re.sub(r"(^|\s)//.*", "", line)):
            yield number, re.sub(r"\$\{[^{}]*\}", "{}", found[1] or found[2] or "")


def _document(path: Path) -> Iterator[tuple[int, str]]:
    def texts(node: Any, keys: tuple[str, ...]) -> Iterator[tuple[int, str]]:
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                yield from texts(value, (*keys, name.value))
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from texts(value, keys)
        elif QUOTED not in path.as_posix() or {"note", "completeness"} & set(keys):
            yield node.start_mark.line + 1, node.value

    for document in yaml.compose_all(path.read_text("utf-8"), Loader=yaml.SafeLoader):
        yield from texts(document, ())


def _page(path: Path) -> Iterator[tuple[int, str]]:
    if path.parent.name == "languages":
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            yield from ((number, found) for found in re.findall(r'": "([^"]*)"', line))


def _template(path: Path) -> Iterator[tuple[int, str]]:
    yield from enumerate(path.read_text("utf-8").splitlines(), 1)


KINDS = {
    ".py": _python,
    ".js": _script,
    ".yaml": _document,
    ".json": _page,
    ".html": _template,
    ".typ": _template,
    ".svg": _template,
}


@cache
def texts() -> tuple[Text, ...]:
    """Every text with Chinese in it that the program says."""
    found = []
    for package in ("streams", "scoring", "deploy"):
        for path in sorted((ROOT / package).rglob("*")):
            file = path.relative_to(ROOT).as_posix()
            # What tools put beside the page's sources, and what they make of these, is nobody's text.
            if file.startswith(("streams/web/frontend/node_modules/", "streams/web/static/")):
                continue
            if path.suffix in KINDS and not file.startswith(READ) and CJK.search(path.read_text("utf-8")):
                found += [Text(file, line, text) for line, text in KINDS[path.suffix](path) if CJK.search(text)]
    return tuple(found)


def test_texts_are_found_wherever_the_program_has_them():
    files = {text.file for text in texts()}
    assert len(texts()) > 1500
    assert files >= {
        *("streams/kpi/catalog/calls.py", "streams/wallboard/static/texts.js", "streams/alerts/first.yaml"),
        *(
            "streams/languages/translation/zh.yaml",
            "scoring/reports/sheets/labels.py",
            "scoring/outcomes/outcomes.yaml",
        ),
        *("streams/kpi/examples/work.yaml", "deploy/prometheus/dead-letters.rules.yaml", "scoring/cards/figures.yaml"),
    }


@pytest.mark.parametrize("ban", [*_bans("words"), *_bans("forms")], ids=lambda ban: ban.what.pattern)
def test_chinese_is_written_as_the_glossary_says(ban: Ban):
    found = [f"{text.file}:{text.line}: {text.text}" for text in texts() if not ban.allows(text)]
    told = f"write {ban.write}" + (f" ({ban.because})" if ban.because else "")
    assert not found, "\n".join([told, *found])


def test_kpis_are_called_as_the_glossary_calls_them():
    rows = re.findall(r"\| `(\w+)` \| ([^|]+?) (?=\|)", (ROOT / "docs/glossary.md").read_text("utf-8"))
    named = {id: name for id, name in rows if id in KPIS}
    assert len(named) > 25
    assert named == {id: KPIS[id].zh for id in named}


def test_a_name_is_that_of_one_kpi():
    names = [kpi.zh for kpi in KPIS.values()]
    assert len(names) == len(set(names))
