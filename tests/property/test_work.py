"""What agents' states and shifts come to, in every window and on every day, against counting steps of time one by one."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import PresenceEvent
from streams.contracts.outputs import Sums
from streams.entities.daily_facts import plain
from streams.entities.entity import dump as dump_entity
from streams.entities.entity import load as load_entity
from streams.entities.stage import KpisStage
from streams.kpi.policy.model import Policy
from streams.pipeline import AgentsPresence, DayBook, Entities
from streams.presence.log import dump, load
from streams.presence.stage import PresenceStage
from streams.roster import Roster
from streams.windows.clock import Days, EventClock
from streams.windows.rolling import Plain
from tests.property.found import check
from tests.support.records import keep, proven

#: Everything in these tests happens at whole steps of this many ms.
STEP = 15_000
HOUR, MINUTE, QUARTER = 3_600_000, 60_000, 900_000
STATES = ("available", "on_contact", "wrap_up", "away", "training", "offline")
RAISES = {
    "available": ("available",), "on_contact": ("working", "on_contact"), "wrap_up": ("working",), "away": ("away",), "training": ("training",), "offline": (),
}  # fmt: skip
LEVEL = {"training": "agents_in_training"}


class Told(NamedTuple):
    at: int
    id: str
    state: str
    team: str


class Planned(NamedTuple):
    at: int
    id: str
    starts: int
    ends: int


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def standing(events: Iterable[PresenceEvent]) -> tuple[list[Told], list[Planned]]:
    """What stands of an agent's events; every event is amended once at most, and amendments are not."""
    events = list({event.id: event for event in events}.values())
    amended = {event.corrects: event for event in events if isinstance(event, e.AgentCorrected | e.AgentRetracted)}
    told, planned = [], {}
    for event in sorted(events, key=lambda event: (event.at, event.id)):
        word = amended.get(event.id)
        if isinstance(word, e.AgentRetracted):
            continue
        if isinstance(event, e.AgentStateChanged):
            state = word.state if word is not None and word.state is not None else event.state
            told.append(Told(event.at, event.id, state, event.team_id or ""))
        elif isinstance(event, e.AgentScheduled):
            ends = word.ends if word is not None and word.ends is not None else event.ends
            planned[ms(event.starts)] = Planned(event.at, event.id, ms(event.starts), ms(ends))
    return told, sorted(planned.values(), key=lambda shift: shift.starts)


def expected(
    events: Iterable[PresenceEvent], start: int, end: int, longest: int, *, team: str | None = None
) -> dict[str, int]:
    """Milliseconds of one agent between two moments, step by step; of a team's time only, or of all."""
    told, planned = standing(events)
    counted: dict[str, int] = {}
    coming, last = list(reversed(told)), None
    for at in range(start, end, STEP):
        while coming and coming[-1].at <= at:
            last = coming.pop()
        shift = next((one for one in planned if one.starts <= at < one.ends), None)
        if shift is not None and team is None:
            counted["scheduled_seconds"] = counted.get("scheduled_seconds", 0) + STEP
        if last is None:
            continue
        begun_in = next((one for one in planned if one.starts <= last.at < one.ends), None)
        until = min(last.at + longest, begun_in.ends + 2 * HOUR if begun_in else last.at + longest)
        if at >= -(-until // QUARTER) * QUARTER:
            continue
        if team is None or team == last.team:
            for name in RAISES[last.state]:
                counted[f"{name}_seconds"] = counted.get(f"{name}_seconds", 0) + STEP
        if team is None and shift is not None and last.state not in ("away", "offline"):
            counted["adherent_seconds"] = counted.get("adherent_seconds", 0) + STEP
    return counted


def attended(events: Iterable[PresenceEvent], start: int, end: int, now: int, longest: int) -> dict[str, int]:
    """Of one agent's shifts that begin between two moments, how many are over, and were attended."""
    events = list(events)
    over = [shift for shift in standing(events)[1] if start <= shift.starts < end and shift.ends <= now]
    was_there = [shift for shift in over if expected(events, shift.starts, shift.ends, longest).get("adherent_seconds")]
    found = {"shifts": len(over), "shifts_attended": len(was_there)}
    return {name: count for name, count in found.items() if count}


def times(sums: Sums) -> dict[str, int]:
    return {name: amount for name, amount in sums.items() if name.endswith("_seconds")}


def together(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, 0) + amount
    return total


def some_days(random_: random.Random, start: int, days: int, agents: Sequence[str]) -> list[PresenceEvent]:
    """States and shifts of some days, some amended, in order of time."""
    events: list[PresenceEvent] = []

    def when(at: int) -> datetime:
        return datetime.fromtimestamp(at / 1000, UTC)

    for agent in agents:
        base = {"source": "s", "agent_id": agent}
        for day in range(days):
            if random_.random() < 0.7:
                starts = start + day * 24 * HOUR + random_.choice((0, 8, 16)) * HOUR
                for word in range(random_.choice((1, 1, 2))):
                    told = max(start, starts - random_.randrange(0, 3 * HOUR, STEP))
                    events.append(
                        e.AgentScheduled(
                            id=f"{agent}-p{day}-{word}", time=when(told), starts=when(starts), ends=when(starts + random_.choice((4, 8)) * HOUR), **base
                        )
                    )  # fmt: skip
        at = start
        for number in range(random_.randint(1, 12 * days)):
            at += random_.choice((STEP, MINUTE, 20 * MINUTE, 2 * HOUR, 5 * HOUR, random_.randrange(0, 8 * HOUR, STEP)))
            if at >= start + days * 24 * HOUR:
                break
            state = random_.choice(STATES)
            events.append(
                e.AgentStateChanged(id=f"{agent}-{number}", time=when(at), state=state, team_id=random_.choice(("t", "t", "u")), **base)  # type: ignore[arg-type]
            )  # fmt: skip
        for number, event in enumerate([event for event in events if event.agent_id == agent]):
            if random_.random() < 0.85:
                continue
            later = event.time + timedelta(milliseconds=random_.randrange(0, HOUR, STEP))
            word = {"id": f"{agent}-w{number}", "time": later, "corrects": event.id, **base}
            if random_.random() < 0.5:
                events.append(e.AgentRetracted(**word))
            elif isinstance(event, e.AgentScheduled):
                events.append(e.AgentCorrected(ends=event.ends - timedelta(hours=1), **word))
            else:
                events.append(e.AgentCorrected(state=random_.choice(STATES), **word))  # type: ignore[arg-type]
    return sorted(events, key=lambda event: (event.at, event.id))


class Desk:
    """Both stages over agents' events, on the event clock."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.days = policy, Days(policy.zone)
        self.stage, self.agents, self.clock = PresenceStage(policy, Roster()), AgentsPresence(), EventClock()
        self.entities, self.facts = Entities(), DayBook()
        self.kpis = KpisStage(policy, (), self.entities, self.facts)
        self.told: list[PresenceEvent] = []
        self.offset = 0
        self.recorder, self.records = self.stage.record(), dict[str, bytes]()

    def take(self, batch: Sequence[PresenceEvent]) -> None:
        raws = [encode(event) for event in batch]
        out = self.stage.process(raws, self.agents, self.clock, machine=2**52, event_time=True)
        assert not out.rejected
        for key, contribution in out.contributions.items():
            self.kpis.apply(key, contribution, self.offset)
            self.offset += 1
        keep(self.records, self.recorder.take(self.agents, out.touched))
        self.told += batch
        self.kpis.advance(self.clock.now or 0)

    def store(self) -> None:
        """All state is written and read again."""
        self.kpis.settle_all()
        for name in self.agents:
            self.agents[name] = load(dump(self.agents[name]))
        for key in self.entities:
            self.entities[key] = load_entity(dump_entity(self.entities[key]))
        self.kpis = KpisStage(self.policy, (), self.entities, self.facts)
        self.kpis.adopt(list(self.entities))

    def windows(self, key: str, now: int) -> dict[str, Sums]:
        self.kpis.settle_all()
        rolling = self.entities[key].rolling
        rolling.advance(now // MINUTE)
        windows = Plain(rolling.sums, rolling.levels, now)
        return {name: times(windows[name]) for name in rolling.sums}

    def day(self, key: str, day: int, now: int) -> Sums:
        self.kpis.settle_all()
        date_ = datetime.fromordinal(day).date().isoformat()
        return plain(self.facts[f"{key}|{date_}"], now, self.days).sums

    def check(self, now: int, first: int, last: int) -> None:
        """Every window and every day as of now, of agents, teams and all; and that records come to the days."""
        self.kpis.advance(now)
        self.kpis.settle_all()
        proven(self.records, self.facts)
        longest = self.policy.max_state_ms
        names = sorted({event.agent_id for event in self.told})
        own = {name: [event for event in self.told if event.agent_id == name] for name in names}
        minute = now // MINUTE * MINUTE
        spans = {"5m": minute - 4 * MINUTE, "30m": minute - 29 * MINUTE}
        for window, since in spans.items():
            of_each = {name: expected(own[name], since, now, longest) for name in names}
            for name in names:
                assert self.windows(f"agent|{name}", now)[window] == of_each[name], (name, window)
            assert self.windows("all|all", now)[window] == together(of_each.values()), window
        for day in range(first, last + 1):
            since, until = self.days.start(day), min(now, self.days.start(day + 1))
            of_each = {name: expected(own[name], since, until, longest) for name in names}
            for name in names:
                sums = self.day(f"agent|{name}", day, now)
                assert times(sums) == of_each[name], (name, day)
                levels = {name: height for name, height in sums.items() if name.startswith("agents_")}
                shifts = {name: sums[name] for name in ("shifts", "shifts_attended") if name in sums}
                assert shifts == attended(own[name], since, self.days.start(day + 1), now, longest), (name, day)
                assert not levels or now < self.days.start(day + 1), "a past day is a plain sum"
            assert times(self.day("all|all", day, now)) == together(of_each.values())
            for team in ("t", "u"):
                of_team = together(expected(own[name], since, until, longest, team=team) for name in names)
                found = times(self.day(f"team|{team}", day, now))
                assert found == of_team, (team, day)


@pytest.mark.parametrize(("zone", "start"), [
    ("UTC", datetime(2026, 3, 2, tzinfo=UTC)), ("Europe/Berlin", datetime(2026, 3, 27, 23, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 23, 22, tzinfo=UTC)),
])  # fmt: skip
@given(seed=st.integers(0, 2**32))
@settings(max_examples=6, deadline=None)
def test_order_duplicates_and_amendments_change_nothing(zone: str, start: datetime, seed: int) -> None:
    work_is_the_same_in_any_order(zone=zone, start=start.isoformat(), seed=seed)


@check
def work_is_the_same_in_any_order(zone: str, start: str, seed: int) -> None:
    """Words about agents shuffled, in part twice, with states stored in between, against a plain count."""
    random_ = random.Random(seed)
    policy = Policy(time_zone=zone, allowed_lateness_days=60, max_state_hours=random_.choice((2, 16)))
    desk, begins = Desk(policy), ms(datetime.fromisoformat(start))
    events = some_days(random_, begins, 3, ("a", "b"))
    arriving = events + random_.sample(events, len(events) // 4)
    random_.shuffle(arriving)
    pieces = sorted(random_.sample(range(len(arriving) + 1), min(len(arriving), 6)))
    first, last = desk.days.of(begins), desk.days.of(begins) + 4
    for since, until in zip([0, *pieces], [*pieces, len(arriving)], strict=True):
        if since == until:
            continue
        desk.take(arriving[since:until])
        if random_.random() < 0.3:
            desk.store()
            desk.kpis.advance(desk.clock.now or 0)
    assert desk.clock.now is not None
    now = desk.clock.now
    for later in sorted(random_.randrange(0, 30 * HOUR, STEP) for _ in range(2)):
        desk.check(now + later, first, last)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=6, deadline=None)
def test_what_is_right_now_is_right_at_every_moment(seed: int) -> None:
    work_is_right_at_every_moment(seed=seed)


@check
def work_is_right_at_every_moment(seed: int) -> None:
    """As of each moment of a day, against a plain count."""
    random_ = random.Random(seed)
    desk = Desk(Policy(time_zone="UTC", allowed_lateness_days=60))
    begins = ms(datetime(2026, 3, 2, tzinfo=UTC))
    events = some_days(random_, begins, 1, ("a", "b"))
    delayed = sorted(events, key=lambda event: event.at + random_.choice((0, 0, 0, 3 * HOUR)))
    for index in range(0, len(delayed), 3):
        desk.take(delayed[index : index + 3])
        desk.check(desk.clock.now or 0, desk.days.of(begins), desk.days.of(begins) + 1)


@given(seed=st.integers(0, 2**32), hours=st.sampled_from([6, 12, 30]))
@settings(max_examples=10, deadline=None)
def test_what_is_forgotten_has_counted_and_changes_nothing_more(seed: int, hours: int) -> None:
    forgetting_changes_nothing(seed=seed, hours=hours)


@check
def forgetting_changes_nothing(seed: int, hours: int) -> None:
    """With so many hours of lateness, eight days against a plain count."""
    random_ = random.Random(seed)
    desk = Desk(Policy(time_zone="UTC", allowed_lateness_days=hours / 24))
    begins = ms(datetime(2026, 3, 2, tzinfo=UTC))
    events = some_days(random_, begins, 8, ("a", "b"))
    for quarter in range(0, 8 * 24 * HOUR, 4 * HOUR):  # somebody is always heard of, so that time goes on evenly
        at = datetime.fromtimestamp((begins + quarter) / 1000, UTC)
        events.append(
            e.AgentStateChanged(id=f"c{quarter}", source="s", time=at, agent_id="c", team_id="t", state="available")
        )
    late = [
        (event.at + random_.choice((0, 0, HOUR, (hours - 1) * HOUR)), number) for number, event in enumerate(events)
    ]
    arriving = [events[number] for _, number in sorted(late)]
    for index in range(0, len(arriving), 5):
        desk.take(arriving[index : index + 5])
        if random_.random() < 0.1:
            desk.store()
            desk.kpis.advance(desk.clock.now or 0)
    assert all(len(agent.log) < 60 for agent in desk.agents.values())
    first = desk.days.of(begins)
    desk.check(desk.clock.now or 0, first, first + 8)
