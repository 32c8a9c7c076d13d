"""The catalogue that people read: every KPI has a worked example, every example holds, and the pages are fresh."""

from __future__ import annotations

from importlib.resources import files

import pytest

from streams.catalogue.examples import Example, examples, load, work
from streams.catalogue.page import DOCS, PAGES, page
from streams.kpi.catalog import KPIS
from streams.languages import Language
from streams.languages.text import LANGUAGES
from tests.new_kpi import left
from tests.support import ROOT

EXAMPLES = [example for own in examples().values() for example in own]


def example(**given: object) -> Example:
    body = {
        "kpi": "csat",
        "zh": "一",
        "en": "one",
        "events": ["09:00:00 c1 call.rated score=5 scale=1-5"],
        "expect": [{"value": 1, "n": 1}],
    }
    return Example.model_validate({**body, **given})  # fmt: skip


def test_nothing_is_left_to_fill_in() -> None:
    assert "\n".join(left(ROOT)) == "", "`make new-kpi` has left these for you"


def test_every_kpi_has_an_example_and_every_example_a_kpi() -> None:
    assert examples().keys() == KPIS.keys()


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{one.kpi}: {one.en[:40]}" for one in EXAMPLES])
def test_an_example_comes_to_what_it_states(example: Example) -> None:
    assert [one.fault for one in work(example)] == [None] * len(example.expect)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_fresh(language: Language) -> None:
    assert (DOCS / PAGES[language]).read_text(encoding="utf-8") == page(language), "run `make generated`"


def test_examples_are_packaged() -> None:
    assert any(file.name.endswith(".yaml") for file in (files("streams") / "kpi" / "examples").iterdir())


@pytest.mark.parametrize(
    ("expect", "fault"),
    [
        ({"value": 1, "n": 1}, None),
        ({"about": 1.0, "n": 1}, None),
        ({"value": 0.5, "n": 1}, "it is 1.0 (n 1, pending 0), not 0.5"),
        ({"value": None, "n": 1}, "it is 1.0 (n 1, pending 0), not None"),
        ({"value": 1, "n": 2}, "it is 1.0 (n 1, pending 0), not n 2, pending 0"),
        ({"about": 0.9, "n": 1}, "it is 1.0 (n 1, pending 0), not about 0.9"),
        ({"entity": "agent|nobody", "value": None, "n": 0}, None),
    ],
)
def test_a_wrong_statement_is_found_out(expect: dict[str, object], fault: str | None) -> None:
    assert [one.fault for one in work(example(expect=[expect]))] == [fault]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kpi": "csta"}, "no KPI is called 'csta'; nearest: csat"),
        ({"events": ["9:00 c1 call.queued"]}, "'9:00' is no time; write 09:00:00"),
        ({"events": ["09:00:00 call.queued"]}, "write when, which contact, and the type"),
        ({"events": ["09:00:00 c1 call.queud"]}, "unknown_type"),
        ({"events": ["09:00:00 c1 call.rated score=5"]}, "event 1, '09:00:00 c1 call.rated score=5': missing_field"),
        ({"events": ["09:00:00 c1 call.queued quue=a"]}, "call.queued has no field quue"),
        ({"events": ["09:00:00 c1 call.queued queue"]}, "'queue' is no field; write it like agent=A1"),
    ],
)
def test_an_example_that_is_written_wrong_is_named(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError) as wrong:
        work(example(**given))
    assert said in str(wrong.value)


def test_a_file_of_examples_that_is_written_wrong_is_named() -> None:
    with pytest.raises(ValueError, match=r"examples odd\.yaml: 0\.en: Field required"):
        load("- {kpi: csat, zh: 一, events: [a], expect: [{n: 1}]}", "odd.yaml")
    with pytest.raises(ValueError, match=r"cannot read the examples odd\.yaml: "):
        load("- {kpi: [", "odd.yaml")
