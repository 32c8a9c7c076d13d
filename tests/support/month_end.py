"""A month's end as HR has it: an operation in memory, a card, and the commands typed one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from openpyxl import load_workbook
from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from scoring.commands.main import score
from scoring.inputs.sheet import COLUMNS
from streams.archive.replaying import Told
from streams.contracts.frozen import FrozenAnswer, FrozenFigure
from streams.contracts.outputs import DailyFacts, EntityKind, RosterEntry, Score, Target, entity_kind
from streams.history.behind import behind
from streams.history.store import History, open_history
from streams.kpi.case_mix import OfStrata
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy
from streams.pipeline import effect
from streams.roster import Roster
from streams.settings import Settings
from streams.targets.book import Targets
from tests.support.cards import item, saved, section, written

_command = cache(get_command)
MARCH = ("--period", "2026-03")
#: Columns of a form.
FORM = [
    {"id": "self", "name": {"zh": "自评", "en": "self"}, "counts": False},
    {"id": "superior", "name": {"zh": "上级", "en": "superior"}},
    {"id": "reviewer", "name": {"zh": "审核", "en": "reviewer"}},
]


def card_file(folder: Path, **more: Any) -> Path:
    """A card with a KPI, an exam, ratings by columns of the form, and two counts; ``more``: other fields of it."""
    figure = {"rule": {"type": "ratio", "form": "actual_over_target"}, "target": {"op": ">=", "value": 90}}
    body = written(
        section(
            "work",
            item("resolved", 40, kpi="resolution_rate", **figure),
            item("exam", 20, input="knowledge_test_score", **figure),
            item("praise", 20, metric="praise_complaint_score", **figure),
        ),
        section("manner", item("care", 20)),
        **{"evaluators": FORM, **more},
    )
    return saved(body, folder)


def day(person: str, on: str, due: int, resolved: int) -> DailyFacts:
    """A day on which so many contacts were due, and resolved."""
    sums = {"resolution_due": due, "resolved": resolved}
    return DailyFacts(entity=f"agent|{person}", date=date.fromisoformat(on), sums=sums)


def entry(person: str, card: str | None = "ours", since: str = "2026-01-01", team: str = "t1") -> RosterEntry:
    """A line of the roster."""
    return RosterEntry(
        agent_id=person, valid_from=date.fromisoformat(since), hr_number=f"H-{person}", team_id=team, card=card
    )


@dataclass
class Desk:
    """An operation whose topics are lists; its clock goes on by a minute with every look."""

    folder: Path
    database: str | None = None
    facts: list[DailyFacts] = field(
        default_factory=lambda: [day("anna", "2026-03-02", 10, 9), day("ben", "2026-03-03", 10, 5)]
    )
    entries: list[RosterEntry] = field(default_factory=lambda: [entry(person) for person in ("anna", "ben", "cleo")])
    policy: AnyPolicy = field(default_factory=Policy)
    aims: list[Target] = field(default_factory=list)
    #: Agents' sums by stratum, as the records of contacts tell them.
    by_stratum: OfStrata = field(default_factory=dict)
    sent: list[Score] = field(default_factory=list)
    at: datetime = datetime(2026, 4, 2, 8, tzinfo=UTC)
    #: How far an operation on the event clock has come; None: it is on the machine's clock.
    reached: datetime | None = None
    broker_takes: int | None = None
    #: Those of the processes around it, where there are some.
    settings: Settings | None = None
    #: None: nobody runs one.
    history: History | None = None
    #: Events of contacts that its Kafka has.
    came: Sequence[Told] = ()

    @property
    def data_dir(self) -> Path:
        return self.folder / "var"

    def now(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at

    def as_of(self) -> datetime:
        return self.reached or self.at

    def targets(self) -> Targets:
        return Targets(self.aims)

    def publish_targets(self, versions: Mapping[str, list[Target]]) -> int:
        self.aims = self.targets().with_(versions).all()
        return len(versions)

    def roster(self, day: date) -> Mapping[str, RosterEntry]:
        return {one.agent_id: one for one in self.entries if one.valid_from <= day}

    def daily_facts(self, first: date, last: date, kind: EntityKind) -> Iterable[DailyFacts]:
        return [one for one in self.facts if first <= one.date <= last and entity_kind(one.entity) == kind]

    def strata(self, first: date, last: date, measures: Collection[str]) -> OfStrata:
        return {
            (agent, day): {name: n for name, n in own.items() if name.partition("~=")[0] in measures}
            for (agent, day), own in self.by_stratum.items()
            if first <= day <= last
        }

    def publish_scores(self, scores: Iterable[Score]) -> int:
        taken = list(scores)[: self.broker_takes]
        self.sent += taken
        return len(taken)

    def published_scores(self, card: str, period: str) -> Iterable[Score]:
        newest = {one.key: one for one in self.sent}
        return [one for one in newest.values() if (one.card, one.period) == (card, period)]

    def contact_events(self, since: int) -> Iterable[Told]:
        return [one for one in self.came if one.timestamp >= since]

    def whole_roster(self) -> Roster:
        return Roster(self.entries)

    def keep_contacts(self, facts: str, first: date, last: date) -> str | None:
        if self.history is not None:
            self.history.freeze(facts, first, last)
        return None

    def contacts_behind(self, asked: FrozenFigure, policy: AnyPolicy) -> FrozenAnswer:
        with open_history(None, self.data_dir, policy) as there:
            return behind((self.history or there).database, policy, asked)

    def effect(self, events: Sequence[bytes], amendments: Sequence[bytes], policy: AnyPolicy) -> list[DailyFacts]:
        now = int((self.at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
        return effect(events, amendments, policy, Roster(self.entries), now)

    def type(self, *arguments: str) -> Result:
        """Type a command of ``deskpulse score``."""
        # Typer makes its commands anew for each one that is typed, which takes longer than most of them.
        with patch.object(testing, "_get_command", _command):
            return CliRunner().invoke(score, list(arguments), obj=self)

    def does(self, *arguments: str) -> str:
        """Type a command that has to work; what it says."""
        result = self.type(*arguments)
        assert result.exit_code == 0, result.output
        return result.output

    def refuses(self, *arguments: str) -> str:
        """Type a command that has to be refused; what it says."""
        result = self.type(*arguments)
        assert result.exit_code == 1, result.output
        return result.output

    def filled(self, name: str, **values: Any) -> Path:
        """The template, with values by ``person_item_field``."""
        file = self.folder / name
        self.does("template", str(card_file(self.folder)), *MARCH, "--out", str(file))
        book = load_workbook(file)
        sheet = book.worksheets[0]
        column = {name: number for number, name in enumerate(COLUMNS)}
        for row in sheet.iter_rows(min_row=2):
            key = "_".join(str(row[column[part]].value) for part in ("person", "item", "field"))
            if key in values:
                row[column["value"]].value = values[key]
        book.save(file)
        return file

    def published(self) -> None:
        """From the sheet to the topic: everybody reviewed, approved, given out."""
        sheet = self.filled(
            "in.xlsx", anna_exam_value=90, ben_exam_value=45, anna_praise_praise=9, anna_praise_complaints=1
        )
        self.does("import", str(sheet), "--by", "lin", "--card", str(card_file(self.folder)))
        card = str(card_file(self.folder))
        self.does("prepare", card, *MARCH, "--by", "lin")
        for person in ("anna", "ben", "cleo"):
            self.does("review", card, *MARCH, person, "--as", "self", "--by", person, "care=20")
            self.does("review", card, *MARCH, person, "--as", "superior", "--by", "sue", "care=18")
            self.does("review", card, *MARCH, person, "--as", "reviewer", "--by", "rob", "--absent", "agrees")
        self.does("approve", card, *MARCH, "--by", "boss")
        self.does("publish", card, *MARCH, "--by", "boss")
