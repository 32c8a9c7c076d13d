"""How people are called where somebody looks."""

from __future__ import annotations

import pytest

from streams.people.names import Names
from streams.people.person import Person

NAMES = Names(
    [
        Person("A1", name_zh="李娜", name_latin="Li Na"),
        Person("A2", name_zh="李娜", name_latin="Li Na"),
        Person("A3", name_zh="王伟"),
        Person("A4", name_latin="Zoë Müller"),
    ]
)


@pytest.mark.parametrize(
    ("id", "zh", "en", "both"),
    [
        ("A1", "李娜（A1）", "Li Na (A1)", "李娜 Li Na"),
        ("A3", "王伟", "王伟", "王伟"),
        ("A4", "Zoë Müller", "Zoë Müller", "Zoë Müller"),
        ("A9", "A9", "A9", None),
    ],
)
def test_the_script_of_the_language_and_namesakes_with_their_id(id: str, zh: str, en: str, both: str | None) -> None:
    assert (NAMES.shown(id, "zh"), NAMES.shown(id, "en"), NAMES.both(id)) == (zh, en, both)


def test_whom_one_may_not_see_is_an_id_and_namesakes_stay_told_apart() -> None:
    own = NAMES.only(lambda id: id == "A1")
    assert [own.shown(id, "zh") for id in ("A1", "A2", "A3")] == ["李娜（A1）", "A2", "A3"]


def test_who_acts_is_kept_as_an_id() -> None:
    assert [NAMES.author(said) for said in ("A3", "王伟", " zoë müller ", "payroll")] == ["A3", "A3", "A4", "payroll"]
    with pytest.raises(ValueError, match="2 people are called Li Na; give the id: --by A1 or --by A2"):
        NAMES.author("Li Na")
    with pytest.raises(ValueError, match="say who does this"):
        NAMES.author(" ")
