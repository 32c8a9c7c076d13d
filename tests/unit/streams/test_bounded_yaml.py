"""YAML of people's files: what would unfold without measure is refused, and soon."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from scoring.cards.load import CardError, load
from streams import bounded_yaml
from streams.bounded_yaml import MOST_CHARACTERS, MOST_NODES, YamlError
from streams.operator_files import load_policy, load_rules
from streams.sources.table.mapping import load_mapping

NINE = range(9)
LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{','.join(f'*a{n - 1}' for _ in NINE)}]\n" for n in range(1, 20))
MERGED = "a0: &a0 {k: 1}\n" + "".join(
    f"a{n}: &a{n}\n  <<: [{','.join(f'*a{n - 1}' for _ in NINE)}]\n" for n in range(1, 20)
)
BOMBS = {
    "aliases of aliases": (LAUGHS, "aliases unfolded"),
    "merged mappings": (MERGED, "aliases unfolded"),
    "an alias inside what it stands for": ("a: &a {b: [*a]}", "inside what it stands for"),
    "lists in lists": ("[" * 100_000, "inside each other"),
    "lists in lists, closed": ("[" * 200 + "]" * 200, "inside each other"),
    "mappings in mappings": ("{a: " * 10_000, "inside each other"),
    "items in items": ("- " * 20_000, "inside each other"),
    "a number to base 60": ("a: 1" + ":1" * 490_000, "at most 100"),
    "a number of many digits": ("a: " + "9" * 900_000, "at most 100"),
    "many entries": ("- a\n" * (MOST_NODES + 1), "more than"),
    "a long text": ("x" * (MOST_CHARACTERS + 1), "characters"),
    "a tag of Python": ("!!python/object/apply:os.system [id]", "could not determine"),
    "a day that never was": ("a: 2026-02-30", "day is out of range"),
    "a number without end": ("a:\n  b: -.inf", "line 2: -.inf is no number that can be reckoned with"),
    "no number at all": ("a: .NaN", "no number"),
    "a number that is too large for one": ("a: 1.0e+999", "no number"),
    "half a character": ('a: "\\ud83d"', "half a character"),
    "a key twice": ("a: {b: 1}\nc: 2\na: 3", "line 3: 'a' stands here twice"),
    "a merge twice": ("a: &a {b: 1}\nc: &c {d: 1}\ne:\n  <<: *a\n  <<: *c", "line 5: '<<' stands here twice"),
    "a key twice, further in": ("a:\n- {b: 1, c: 2, b: 1}", "line 2: 'b' stands here twice"),
}


@pytest.mark.parametrize(("text", "says"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused(text: str, says: str) -> None:
    began = time.process_time()
    with pytest.raises(YamlError, match=says):
        bounded_yaml.load(text)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("text", [LAUGHS, "[" * 1000], ids=["aliases", "lists"])
def test_every_reader_of_peoples_files_has_these_bounds(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bomb.yaml"
    file.write_text(text, encoding="utf-8")
    for read in (load_policy, load_rules, load_mapping):
        with pytest.raises(ValueError, match=r"bomb\.yaml: (line \d+: )?more than"):
            read(file)
    with pytest.raises(CardError, match=r"bomb\.yaml(:\d+)?: not YAML: more than"):
        load(file)


def test_what_people_write_is_read_as_ever() -> None:
    text = "base: &base {a: 1, b: [x, 2.5, 2026-03-01, yes, ~]}\nmore: {<<: *base, c: '中文'}\nlist: [*base, *base]\n"
    assert bounded_yaml.load(text) == yaml.safe_load(text)
    assert bounded_yaml.load("") is None


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes("名: 值".encode("gb18030"))
    with pytest.raises(YamlError, match="not UTF-8"):
        bounded_yaml.load_file(file)
