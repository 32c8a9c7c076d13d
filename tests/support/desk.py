"""A scripted day in domain words: ``at("09:00:00", queued("c1"))`` builds events, ``facts`` and ``figures`` say what came of it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from types import MappingProxyType
from typing import Any

from streams.contacts import customer as customers
from streams.contacts.forgetting import Nameless, is_nameless, nameless_id
from streams.contacts.joining import Forget, Lacking
from streams.contacts.records import Recorder
from streams.contacts.shared import customer_of
from streams.contacts.slots import Tally
from streams.contacts.stage import ContactsStage
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import Figure, Sums, entity_kind
from streams.entities.stage import KpisStage
from streams.kpi.formulas import figures as kpi_figures
from streams.kpi.formulas import formulas
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import side_of
from streams.pipeline import Customers, DayBook, Entities, Run, run
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.support.records import keep, proven

DAY = date(2026, 3, 2)
#: The operation's zone in these tests is UTC, so that times read as they are written.
POLICY = Policy(time_zone="UTC")


def moment(text: str, day: date = DAY) -> datetime:
    """``09:00:00`` on the day; ``+1 09:00:00`` one day later."""
    if text.startswith("+"):
        days, text = text[1:].split(" ", 1)
        day += timedelta(days=int(days))
    return datetime.fromisoformat(f"{day.isoformat()}T{text}+00:00").astimezone(UTC)


class Script:
    """Collects events; ids are made from their number, so that the same script gives the same events."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    def at(self, when: str, type_: type[AnyEvent], contact: str = "c1", /, **fields: Any) -> Script:
        """An event of a contact at a time."""
        self.events.append(
            type_(id=f"e{len(self.events)}", source="script", time=moment(when), contact_id=contact, **fields)
        )
        return self

    def call(
        self,
        when: str,
        contact: str,
        *,
        agent: str | None = None,
        wait: float = 5,
        talk: float = 60,
        queue: str = "q",
        **fields: Any,
    ) -> Script:
        """A whole call: queued, answered, ended; abandoned after ``wait`` where no agent is given."""
        start = moment(when)
        base = {"source": "script", "contact_id": contact, "queue_id": queue}
        ended = {name: fields.pop(name) for name in ("resolved", "hold_seconds", "wrap_up_seconds") if name in fields}

        def add(type_: type[AnyEvent], seconds: float, **own: Any) -> None:
            self.events.append(
                type_(id=f"e{len(self.events)}", time=start + timedelta(seconds=seconds), **base, **fields, **own)
            )

        add(e.CallQueued, 0)
        if agent is None:
            add(e.CallAbandoned, wait, wait_seconds=wait)
        else:
            add(e.CallAnswered, wait, agent_id=agent, wait_seconds=wait)
            add(e.CallEnded, wait + talk, agent_id=agent, talk_seconds=talk, **ended)
        return self

    def run(self, policy: Policy = POLICY, **options: Any) -> Run:
        """The pure path over the events in the order of the script."""
        return run_events(self.events, policy, **options)


def run_events(events: Iterable[AnyEvent], policy: Policy = POLICY, **options: Any) -> Run:
    """The pure path over events in the given order."""
    return run([encode(event) for event in events], policy, **options)


def sums(result: Run, entity: str = "all|all", day: date = DAY) -> Sums:
    """What a day's facts of an entity hold."""
    facts = dict.get(result.facts, f"{entity}|{day.isoformat()}")
    return dict(facts.sums) if facts is not None else {}


def figures(result: Run, entity: str = "all|all", policy: Policy = POLICY, day: date = DAY) -> dict[str, Figure]:
    """The KPIs of a day's facts of an entity."""
    return kpi_figures(entity, sums(result, entity, day), policy)


def shown(entity: str, sums: Sums, policy: Policy = POLICY) -> dict[str, Figure]:
    """What a screen shows of an entity's sums in a window: the KPIs that have data, nothing of it matured."""
    return formulas(policy)[side_of(entity_kind(entity))].live(sums)


def all_facts(result: Run) -> dict[str, Sums]:
    """Every day of every entity that holds anything: what two runs are compared by."""
    return {key: facts.sums for key, facts in sorted(result.facts.items()) if facts.sums}


def all_live(result: Run) -> dict[str, tuple[Any, ...]]:
    """Panes in the windows, plans and waiting contacts of every entity: the live side of the same comparison."""
    out = {}
    for key, entity in sorted(result.entities.items()):
        assert result.now is not None
        entity.rolling.advance(result.now // 60_000)
        live = (entity.rolling.panes, entity.planned, entity.waiting)
        if any(live):
            out[key] = live
    return out


def later(days: int = 40) -> list[AnyEvent]:
    """Two contacts so many days later (the clock believes no single jump): every plan up to then has come due."""
    time = moment(f"+{days} 00:00:00")
    return [e.CallArrived(id="z", source="later", time=time, contact_id=f"later{n}") for n in range(2)]


def in_any_order(events: Sequence[AnyEvent], policy: Policy = POLICY) -> None:
    """Shuffled, and some of them doubled, the events give the same facts, and the same live."""
    in_order = run_events(events, policy)
    for seed in range(8):
        mixed = [*events, *random.Random(seed).choices(events, k=3)]
        random.Random(seed).shuffle(mixed)
        other = run_events(mixed, policy)
        assert all_facts(other) == all_facts(in_order), seed
        assert all_live(other) == all_live(in_order), seed


def types(events: Sequence[AnyEvent]) -> list[str]:
    """The types of events, as the contract names them."""
    return [str(type(event).__struct_config__.tag) for event in events]


def stored_again_and_again(
    raws: Sequence[bytes], policy: AnyPolicy, every: int, forget: Mapping[int, str] = MappingProxyType({})
) -> dict[str, Sums]:
    """The facts where customers are written and read again after so many events, only those that are said to have changed. ``forget``: who
    is forgotten once so many events have been taken in, a multiple of ``every``.
    """
    stage, clock, days, lacking = ContactsStage(policy, Roster()), EventClock(), DayBook(), Lacking()
    kpis = KpisStage(policy, (), Entities(), days)
    stored: dict[str, bytes] = {}
    people, lots = Customers(), count()
    recorder, records = Recorder(stage.rules), dict[str, bytes]()
    for start in range(0, len(raws), every):
        tally = Tally()
        nameless = Nameless(
            lambda _: nameless_id(f"lot{next(lots)}"), filter(lambda kept: is_nameless(kept[0]), people.items())
        )
        out = stage.process(
            raws[start : start + every], people, clock, machine=2**52, event_time=True, tally=tally, lacking=lacking, nameless=nameless
        )  # fmt: skip
        touched = out.touched
        if (who := forget.get(start + every)) is not None:
            touched = touched | stage.take_words([("", Forget(who))], people, lacking, tally, nameless).touched
        for number, (key, contribution) in enumerate(tally.contributions().items()):
            kpis.apply(key, contribution, start * 1000 + number)
        keep(records, recorder.take(people, touched))
        stored = {key: raw for key, raw in stored.items() if key in people}
        stored |= {key: customers.dump(people[key]) for key in touched if key in people}
        assert not any(
            who.encode() in raw
            for at, who in forget.items()
            if at == start + every
            for raw in (*stored.values(), *records.values())
        )
        people = Customers({key: customers.load(raw, customer_of(key)) for key, raw in stored.items()})
    assert clock.now is not None
    kpis.advance(clock.now)
    kpis.settle_all()
    proven(records, days)
    return {key: facts.sums for key, facts in sorted(days.items()) if facts.sums}
