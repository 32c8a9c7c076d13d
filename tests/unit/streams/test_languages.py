"""Texts by language: what stands in the code, what a file gives, and English where it gives nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.contracts.outputs import WINDOWS
from streams.kpi.labels import WINDOW_HEADS, WINDOW_SPANS
from streams.languages import text
from streams.languages.text import LANGUAGES, SPOKEN, Text, read
from streams.people.names import Names
from streams.people.person import Person

GERMAN = """
name: Deutsch
tag: de
comma: ", "
texts:
  Answer rate: Annahmequote
  weight {} %: Gewicht {} %
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third language, as its file makes it."""
    for code in LANGUAGES:
        (tmp_path / f"{code}.yaml").write_text((Path(text.__file__).parent / f"{code}.yaml").read_text("utf-8"))
    (tmp_path / "de.yaml").write_text(GERMAN, encoding="utf-8")
    spoken = read(tmp_path)
    for module in (text, Names.__init__.__globals__):
        for name, value in (("SPOKEN", spoken), ("LANGUAGES", tuple(spoken))):
            held = module if isinstance(module, dict) else vars(module)
            if name in held:
                monkeypatch.setitem(held, name, value)


def test_chinese_and_english_are_there_and_come_first() -> None:
    assert LANGUAGES[:2] == ("zh", "en")
    assert (SPOKEN["zh"].tag, SPOKEN["zh"].script, SPOKEN["en"].script) == ("zh-CN", "chinese", "latin")


@pytest.mark.usefixtures("german")
def test_a_file_adds_a_language_and_english_fills_what_it_leaves_out() -> None:
    known, unknown = Text("接通率", "Answer rate"), Text("满意度", "CSAT")
    assert dict(known) == {"zh": "接通率", "en": "Answer rate", "de": "Annahmequote"}
    assert dict(unknown) == {"zh": "满意度", "en": "CSAT", "de": "CSAT"}
    assert Text("权重 {} %", "weight {} %").format(40).fields("said") == {
        "said_zh": "权重 40 %", "said_en": "weight 40 %", "said_de": "Gewicht 40 %"
    }  # fmt: skip


@pytest.mark.usefixtures("german")
def test_people_are_called_in_the_script_of_the_third_language() -> None:
    names = Names([Person(id, name_zh="李娜", name_latin="Li Na") for id in ("A1", "A2")])
    assert dict(names.in_texts("A1") or {}) == {"zh": "李娜（A1）", "en": "Li Na (A1)", "de": "Li Na (A1)"}


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("tag: de", "missing required field `name`"),
        ("name: Deutsch\ntag: de\ntext: {}", "unknown field `text`"),
        ("name: [", "cannot read the language"),
        (
            'name: Deutsch\ntag: de\ntexts: {"weight {} %": Gewicht}',
            r"'Gewicht': has the places \[\] where 'weight {} %' has \[''\]; write the same ones",
        ),
    ],
)
def test_a_wrong_file_is_refused_and_named(tmp_path: Path, written: str, why: str) -> None:
    (tmp_path / "de.yaml").write_text(written, encoding="utf-8")
    with pytest.raises(ValueError, match=why) as refused:
        read(tmp_path)
    assert "de.yaml" in str(refused.value)


def test_every_window_is_called_something() -> None:
    assert tuple(WINDOW_HEADS) == WINDOWS
    assert tuple(WINDOW_SPANS) == (*WINDOWS, "now", "change")
