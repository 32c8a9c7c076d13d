"""``make new-kpi``: what it writes can be read, is found until it is filled in, and is refused for what cannot be."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest

from streams.catalogue.examples import load
from streams.kpi.catalog import AREAS
from tests.acceptance.axis import cases
from tests.new_kpi import begin, left
from tests.support import ROOT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("streams/kpi/catalog", "streams/kpi/examples", "tests/acceptance/cases", "tests/reference"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize("area", AREAS)
def test_a_kpi_is_begun_in_every_area(tree: Path, area: str) -> None:
    before = {path: path.read_text(encoding="utf-8") for path in tree.rglob("*.yaml")}
    made = begin(tree, "callback_rate", area)
    entry, example, case, reference = (tree / path for path in made)
    imported = ast.parse(entry.read_text(encoding="utf-8")).body
    assert "share" in {name.name for node in imported if isinstance(node, ast.ImportFrom) for name in node.names}
    assert entry.read_text(encoding="utf-8").count('id="callback_rate"') == 1
    added = {path: path.read_text(encoding="utf-8").removeprefix(before.get(path, "")) for path in (example, case)}
    assert [one.kpi for one in load(added[example], "added")] == ["callback_rate"]
    case.write_text(added[case], encoding="utf-8")
    assert [one.kpis for one in cases(case)] == [{"callback_rate"}]
    ast.parse(reference.read_text(encoding="utf-8"))
    assert {line.partition(":")[0] for line in left(tree)} == {str(path) for path in made}


def test_each_thing_to_fill_in_is_named_with_its_file_and_line(tree: Path) -> None:
    assert list(left(tree)) == []
    begin(tree, "callback_rate", "calls")
    found = list(left(tree))
    lines = len((tree / "streams/kpi/catalog/calls.py").read_text(encoding="utf-8").splitlines())
    assert found[0] == f"streams/kpi/catalog/calls.py:{lines - 8}: FILL IN: its name in Chinese"
    assert len(found) == 15
    for path in {Path(line.partition(":")[0]) for line in found}:
        text = (tree / path).read_text(encoding="utf-8").replace("FILL IN", "filled in")
        (tree / path).write_text(text, encoding="utf-8")
    assert list(left(tree)) == []


@pytest.mark.parametrize(
    ("name", "area", "why"),
    [
        ("Callback rate", "calls", "'Callback rate' is no id: write it like callback_rate"),
        ("", "calls", "'' is no id"),
        ("csat", "calls", "there is a KPI 'csat' already"),
        ("callback_rate", "phones", "no area is called 'phones'; there are calls, contacts, satisfaction"),
        ("callback_rate", "", "no area is called ''"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(tree: Path, name: str, area: str, why: str) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*.*") if path.is_file()}
    with pytest.raises(ValueError, match=re.escape(why)):
        begin(tree, name, area)
    assert {path: path.read_bytes() for path in before} == before
