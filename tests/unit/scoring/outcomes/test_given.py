"""An outcome is a rule with what it gives, and a field of the settings: sheets, the workbook, results and files have it from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import ClassVar, get_args

from scoring.outcomes import Outcomes, Person, PersonOutcome, Settings, Term, decide
from scoring.outcomes.given import GivingRule
from scoring.outcomes.parts import Points, Who
from scoring.outcomes.standing import Mean, Standing
from scoring.outcomes.stars import StarRule
from scoring.outcomes.terms import Kind
from scoring.period import Month
from scoring.reports.json_report import _outcome as published
from scoring.reports.sheets.outcomes import follows
from scoring.reports.workbook.outcomes import outcome_lines
from scoring.runs.canonical_json import written
from scoring.runs.result import _decided, _outcome
from streams.languages.text import Text
from streams.people.names import Names

AUGUST = Month(2010, 8)


class CertificateRule(GivingRule):
    """A certificate from a total on."""

    from_total: Points = Decimal(90)

    def give(
        self, person: Person, standings: Mapping[Kind, Standing], means: Mapping[Kind, Mean]
    ) -> Certificate | None:
        month = standings["month"]
        if month.total is None:
            return Certificate(person.id, month.term, None, Text("没有得分", "no score"))
        if month.total < self.from_total:
            return None
        return Certificate(person.id, month.term, "gold", Text("总分达到 90", "the total is 90 or more"))


@dataclass(frozen=True)
class Certificate:
    label: ClassVar[Text] = Text("证书", "Certificate")

    person: str
    term: Term
    value: str | None
    reason: Text


class Registered(Settings):
    """What the one line of registration in ``Settings`` comes to."""

    certificate: CertificateRule | None = None


def decided(**rules: object) -> Outcomes:
    settings = Registered.model_validate({"schema": "deskpulse/outcomes/1", "version": "1", **rules})
    people = [Person("anna", Decimal("93.5"), team="t"), Person("bert", Decimal(70)), Person("carl", None)]
    return decide(AUGUST, people, settings, opened=date(2010, 9, 1))


def test_what_a_rule_gives_is_on_sheets_in_the_workbook_in_results_and_files() -> None:
    made = decided(certificate={})
    anna, bert, carl = made.people
    assert next(line.en for line in follows(anna, Names())) == "Certificate: the total is 90 or more"
    row = next(row for row in outcome_lines(made) if row[0] == "anna")
    assert isinstance(row[-1], Text)
    assert row[-1].en.endswith("the total is 90 or more")
    assert (published(anna)["certificate"], published(carl)["certificate"]) == ("gold", None)
    assert "certificate" not in published(bert)
    frozen = json.loads(written(_outcome(anna)))
    assert frozen["certificate"]["value"] == "gold"
    assert ("certificate", "gold") in list(_decided(frozen))
    assert "certificate" not in dict(_decided(json.loads(written(_outcome(bert)))))


def test_only_those_for_whom_the_rule_is_are_given_something() -> None:
    made = decided(certificate={"who": {"teams": ["t"]}})
    assert [one.person for one in made.people if one.given] == ["anna"]


def test_without_the_rule_files_and_results_say_what_they_have_always_said() -> None:
    anna = decided().people[0]
    assert "certificate" not in published(anna)
    assert published(anna)["stars"] is None
    assert _outcome(anna).keys() == {field.name for field in fields(PersonOutcome)} - {"given"} | {"stars"}


def test_no_key_of_a_giving_rule_hides_what_results_have_beside_it() -> None:
    taken = {field.name for field in fields(PersonOutcome)} | published(decided().people[0]).keys() - {"stars"}
    giving = {
        name
        for name, field in Settings.model_fields.items()
        for one in get_args(field.annotation) or (field.annotation,)
        if isinstance(one, type) and issubclass(one, GivingRule)
    }
    assert "stars" in giving
    assert not taken & giving


def test_stars_are_given_that_way() -> None:
    settings = Registered.model_validate(
        {"schema": "deskpulse/outcomes/1", "version": "1", "stars": {}, "certificate": {}}
    )
    assert settings.giving == {"stars": StarRule(), "certificate": CertificateRule()}
    assert settings.giving["stars"].who == Who()
