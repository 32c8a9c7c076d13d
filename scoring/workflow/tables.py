"""Tables of people, units, duties and targets taken in over HTTP: the same checks as by command, and what is known to be wrong told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from scoring.store.audit import Actor
from scoring.workflow.gather import Operation, names
from streams.database import Database
from streams.people.duties import duty_book, take_duties
from streams.people.duty import DutyBook
from streams.people.duty_sheet import parse_duties
from streams.people.sheet import parse_people, unknown_superiors_told
from streams.people.store import all_people, all_reporting, people_database, take
from streams.people.units import parse_units, take_units
from streams.targets import taking
from streams.targets.sheet import parse_targets


@dataclass(frozen=True)
class Taken:
    """How many entries are new, changed, were there already, were taken back; ``notes``: what is taken and yet not right, a line each
    with the line to add.
    """

    new: int
    changed: int
    same: int
    taken_back: int = 0
    notes: Sequence[str] = ()


def take_people(operation: Operation, name: str, body: bytes, by: Actor, again: Sequence[str] = ()) -> Taken:
    """The people's file. ``again``: who may come back though they were deleted. Raises ValueError with a line per fault."""
    told = parse_people(name, body)
    with _kept(operation) as database, database.write() as connection:
        done = take(connection, told, by.name, by.at, again)
        notes = unknown_superiors_told(all_people(connection), all_reporting(connection))
    return Taken(len(done.added), len(done.changed), done.same, notes=notes)


def take_unit_names(operation: Operation, name: str, body: bytes, by: Actor) -> Taken:
    """Names of teams, queues, sites, topics and kinds. Raises ValueError with a line per fault."""
    given = parse_units(name, body)
    with _kept(operation) as database, database.write() as connection:
        return Taken(*take_units(connection, given, by.name, by.at))


def take_duty_roster(operation: Operation, name: str, body: bytes, by: Actor) -> Taken:
    """The duty roster. Raises ValueError with a line per fault."""
    zone = operation.policy.zone
    told = parse_duties(name, body, zone)
    with _kept(operation) as database, database.write() as connection:
        done = take_duties(connection, told, by.name, by.at, zone, by.at.astimezone(zone).date())
    return Taken(done.added, done.changed, done.same, done.taken_back, done.remarks)


def take_targets(operation: Operation, name: str, body: bytes, by: Actor) -> Taken:
    """The target sheet. Raises ValueError with a line per fault, ConnectionError where the broker does not take all of it."""
    done = taking.take_targets(operation, parse_targets(name, body, by.name, by.at), names(operation).id_of)
    return Taken(done.new, done.changed, done.same)


def duties(operation: Operation) -> DutyBook:
    """Who is on duty when, as it is known now."""
    return duty_book(operation.database, operation.data_dir, operation.policy.zone)


def _kept(operation: Operation) -> AbstractContextManager[Database]:
    return people_database(operation.database, operation.data_dir)
