"""Incidents on a manual clock, in the words of the people who are called: every transition, mute and group."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from streams.alerts.rules import Rule, read_rules
from streams.contracts.outputs import ActionKind, Alert, AlertAction, AlertStatus, Incident, IncidentStep, RosterEntry
from streams.incidents.book import IncidentBook, Refused
from streams.incidents.messages import MOST_BYTES, encode
from streams.incidents.places import Places

_ZONE = ZoneInfo("Asia/Shanghai")
_DAY = datetime(2026, 3, 2, tzinfo=_ZONE)
RULES = read_rules(
    {
        "rules": [
            {
                "id": "low", "zh": "满意度低", "en": "Low satisfaction", "kpi": "csat", "window": "30m", "below": 0.8, "min_n": 5,
                "scope": ["agent", "team", "queue", "site", "all"], "severity": "critical", "notify": ["floor"], "escalate_after": 600,
                "escalate_to": ["managers"], "labels": {"shift": "day"}, "runbook_en": "Read them.",
            },
            {"id": "wait", "zh": "等待长", "en": "Long wait", "kpi": "longest_wait", "window": "now", "above": 120, "scope": ["queue"]},
        ]
    }
)  # fmt: skip


def clock(text: str) -> datetime:
    """``09:30``, ``09:30:05``, ``+1 00:00`` in the operation's zone."""
    days, _, time = text.rpartition(" ")
    hour, minute, *second = (int(part) for part in time.split(":"))
    return _DAY + timedelta(days=int(days or 0), hours=hour, minutes=minute, seconds=second[0] if second else 0)


class Desk:
    """The stage, what it has written, and what of that people were to be told."""

    def __init__(
        self, rules: Iterable[Rule] = RULES, roster: Iterable[RosterEntry] = (), *, restarts: bool = False
    ) -> None:
        self.rules, self.roster, self.restarts = tuple(rules), list(roster), restarts
        self.stored: dict[str, bytes] = {}
        self.written: dict[str, Incident] = {}
        self.told: list[tuple[str, IncidentStep]] = []
        self.known: dict[str, int] = {}
        self.now = 0
        self.actions = 0
        self.book = self.start()

    def start(self) -> IncidentBook:
        places = Places()
        own: dict[str, list[RosterEntry]] = {}
        for entry in self.roster:
            own.setdefault(entry.agent_id, []).append(entry)
        places.load({agent: encode(entries) for agent, entries in own.items()})
        book = IncidentBook(self.rules, places, _ZONE)
        for key, value in self.stored.items():
            assert book.load(key, value)
        book.begin(self.now)
        return book

    def restart(self) -> None:
        self.drain()
        self.book = self.start()

    def drain(self) -> None:
        changes = self.book.drain(self.now)
        for key, value in changes.state.items():
            if value is None:
                self.stored.pop(key, None)
            else:
                self.stored[key] = value
        for incident in changes.incidents:
            assert len(encode(incident)) <= MOST_BYTES
            self.written[incident.id] = incident
            for step in incident.steps:  # as a notifier does
                if step.number > self.known.get(incident.id, 0):
                    assert step.number == self.known.get(incident.id, 0) + 1
                    self.known[incident.id] = step.number
                    self.told.append((incident.id, step))
        if self.restarts:
            self.book = self.start()

    def at(self, time: str) -> Desk:
        """It is so late now."""
        self.now = round(clock(time).timestamp() * 1000)
        self.book.tick(self.now)
        self.drain()
        return self

    def alert(
        self, entity: str, status: AlertStatus = "firing", value: float | None = 0.5, *, rule: str = "low", team: str | None = None,
        update: bool = False,
    ) -> Desk:  # fmt: skip
        """An alert of ``agent a`` takes a step now."""
        at, key = (
            datetime.fromtimestamp(self.now / 1000, UTC),
            "all|all" if entity == "all" else entity.replace(" ", "|"),
        )
        told = Alert(
            rule=rule, entity=key, status=status, severity="critical", at=at, since=at, kpi="csat", window="30m", threshold=0.8,
            value=value, n=6, team=team, update=update, reason_zh=f"{entity} {status}", reason_en=f"{entity} is {status}.",
        )  # fmt: skip
        self.book.alert(told, self.now)
        self.drain()
        return self

    def does(
        self, kind: ActionKind, by: str = "ann", *, id: str | None = None, until: str | None = None, **fields: object
    ) -> Refused | None:
        """Somebody does something now."""
        self.actions += 1
        action = AlertAction(
            id=id or f"a{self.actions}", at=datetime.fromtimestamp(self.now / 1000, UTC), by=by, kind=kind,
            until=clock(until) if until else None, **fields,  # type: ignore[arg-type]
        )  # fmt: skip
        said = self.book.act(action, self.now)
        self.drain()
        return said

    @property
    def only(self) -> Incident:
        (one,) = self.written.values()
        return one

    def open(self) -> list[Incident]:
        return [one for one in self.written.values() if one.status != "resolved"]

    def steps(self, *, loud: bool = True) -> list[str]:
        """What people were told: kind and time."""
        return [
            f"{step.at.astimezone(_ZONE):%H:%M:%S} {step.kind}" for _, step in self.told if not (loud and step.quiet)
        ]


def of_site(site: str, team: str, *agents: str) -> list[RosterEntry]:
    return [RosterEntry(agent_id=agent, valid_from=_DAY.date(), team_id=team, site_id=site) for agent in agents]


@pytest.mark.parametrize("restarts", [False, True], ids=["undisturbed", "restarted at every step"])
def test_the_whole_life(restarts: bool) -> None:
    desk = Desk(restarts=restarts)
    desk.at("09:00").alert("agent a", value=0.5)
    assert desk.only.steps == []  # others of its cause may come
    desk.at("09:00:05")
    assert (desk.only.status, desk.only.firing, desk.only.notify, desk.only.escalate_to) == (
        "firing",
        1,
        ["floor"],
        ["managers"],
    )
    assert (desk.only.name_en, desk.only.runbook_en, desk.only.labels) == (
        "Low satisfaction", "Read them.", {"agent": ["a"], "shift": ["day"]},
    )  # fmt: skip
    desk.at("09:05").alert("agent a", value=0.4, update=True).at("09:05:20")
    (member,) = desk.only.members
    assert (member.fired_value, member.value, member.n) == (0.5, 0.4, 6)
    desk.at("09:10:05")  # ten minutes after it was told
    assert desk.only.status == "escalated"
    desk.at("09:12").does("acknowledge", incident=desk.only.id, note="I look at it")
    assert desk.only.status == "acknowledged"
    assert desk.only.acknowledged is not None
    assert (desk.only.acknowledged.by, desk.only.acknowledged.note) == ("ann", "I look at it")
    desk.at("09:20").alert("agent a", "resolved", 0.9).at("09:21:59")
    assert desk.only.status == "acknowledged"  # it may flap
    desk.at("09:22")
    assert (desk.only.status, desk.only.firing) == ("resolved", 0)
    assert desk.steps() == [
        "09:00:05 opened", "09:10:05 escalated", "09:12:00 acknowledged", "09:22:00 resolved",
    ]  # fmt: skip
    assert [step.reason_en for step in desk.only.steps] == [
        "agent a is firing.",
        "Nobody has taken care of it for 10 min. agent a is firing.",
        "ann takes care of it: I look at it",
        "agent a is resolved.",
    ]
    assert desk.only.steps[-1].value == 0.9


def test_what_comes_and_goes_is_told_once() -> None:
    desk = Desk()
    for minute in range(10):
        desk.at(f"09:{minute:02}:00").alert("agent a").at(f"09:{minute:02}:30").alert("agent a", "resolved", 0.9)
    desk.at("09:20")
    assert desk.steps() == ["09:00:05 opened", "09:11:30 resolved"]
    assert len(desk.written) == 1


def test_what_fires_again_later_is_another_incident() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:01").alert("agent a", "resolved", 0.9).at("09:10").alert("agent a").at(
        "09:11"
    )
    first, second = desk.written.values()
    assert (first.status, second.status) == ("resolved", "firing")
    assert first.id != second.id
    assert [member.value for member in first.members] == [0.9]


@pytest.mark.parametrize(
    "roster", [(), tuple(of_site("S", "T1", *(f"a{n}" for n in range(200))))], ids=["no roster", "one site"]
)
def test_200_agents_of_a_queue_are_one_incident(roster: tuple[RosterEntry, ...]) -> None:
    desk = Desk(roster=roster)
    desk.at("09:00")
    for number in range(200):
        desk.at(f"09:00:{number // 10:02}").alert(f"agent a{number}")
    desk.alert("queue q").at("09:30")
    assert len(desk.written) == 1
    assert (desk.only.entity, desk.only.firing, len(desk.only.members), desk.only.more_members) == (
        "queue|q",
        201,
        100,
        101,
    )
    assert [step.kind for _, step in desk.told] == ["opened", "worse", "escalated"]
    assert {member.inhibited_by for member in desk.only.members if member.entity != "queue|q"} == {"low|queue|q"}
    for number in range(200):
        desk.alert(f"agent a{number}", "resolved", 0.9)
    desk.alert("queue q", "resolved", 0.9).at("10:00")
    assert [step.kind for _, step in desk.told] == ["opened", "worse", "escalated", "resolved"]
    assert all(key.startswith("incident|") for key in desk.stored)


def test_a_site_takes_in_its_own_and_no_others() -> None:
    desk = Desk(roster=[*of_site("S1", "T1", "a", "b"), *of_site("S2", "T2", "c")])
    desk.at("09:00").alert("agent a").alert("agent c").at("09:30").alert("team T1")
    assert sorted(one.entity for one in desk.open()) == ["agent|c", "team|T1"]
    desk.at("10:00").alert("site S1").at("10:01")
    assert sorted(one.entity for one in desk.open()) == ["agent|c", "site|S1"]
    wide = next(one for one in desk.open() if one.entity == "site|S1")
    assert [(one.entity, one.inhibited_by) for one in wide.members] == [
        ("site|S1", None), ("team|T1", "low|site|S1"), ("agent|a", "low|site|S1"),
    ]  # fmt: skip
    assert wide.labels == {"agent": ["a"], "shift": ["day"], "site": ["S1"], "team": ["T1"]}


def test_the_whole_operation_makes_one_of_several() -> None:
    desk = Desk(roster=[*of_site("S1", "T1", "a"), *of_site("S2", "T2", "c")])
    desk.at("09:00").alert("agent a").at("09:00:02").alert("agent c").at("09:01")
    first, second = desk.written
    desk.alert("all").at("09:02")
    assert (desk.written[second].status, desk.written[second].merged_into) == ("resolved", first)
    assert [step.kind for id, step in desk.told if id == second] == ["opened", "merged"]
    assert [one.entity for one in desk.open()] == ["all|all"]
    assert desk.written[first].firing == 3
    desk.does("acknowledge", incident=second)  # the one it has become a part of
    assert desk.written[first].status == "acknowledged"


def test_queues_that_fail_at_other_times_are_other_incidents() -> None:
    desk = Desk()
    desk.at("09:00").alert("queue a").at("09:00:30").alert("queue b").at("09:05").alert("queue c").at("09:06")
    assert sorted(one.firing for one in desk.open()) == [1, 2]


def test_a_growing_incident_is_told_at_most_every_five_minutes() -> None:
    desk = Desk()
    for minute in range(12):
        desk.at(f"09:{minute:02}").alert(f"agent a{minute}")
    assert desk.steps() == ["09:00:05 opened", "09:05:05 grew", "09:10:05 grew", "09:10:05 escalated"]
    assert desk.told[1][1].reason_en.startswith("5 more alerts of the same cause, 6 by now. ")


def test_raters_who_fall_silent_stay_to_be_seen_until_somebody_has() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:40").alert("agent a", "no_data", 0.667)
    assert desk.steps()[-1] == "09:40:00 no_data"
    desk.at("+1 09:00")
    assert (desk.only.status, desk.only.no_data) == ("escalated", 1)
    desk.does("acknowledge", incident=desk.only.id)
    desk.at("+1 09:00:01")
    assert desk.only.status == "resolved"
    assert desk.only.steps[-1].reason_en == "agent a is no_data. Somebody knows of it: closed."


def test_data_that_come_back_decide() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:40").alert("agent a", "no_data", 0.6).at("10:00").alert(
        "agent a", "firing", 0.4
    )
    assert (desk.only.firing, desk.only.no_data) == (1, 0)
    desk.at("10:10").alert("agent a", "resolved", 0.9).at("10:13")
    assert desk.only.status == "resolved"


def test_nobody_is_told_of_what_is_silenced() -> None:
    desk = Desk(roster=of_site("S", "T1", "a"))
    desk.at("08:59").does("silence", id="s", selectors=["team:T1", "rule:lo*"], until="10:00", note="a new system")
    desk.at("09:00").alert("agent a").alert("agent b").at("09:20")
    assert desk.only.status == "escalated"  # b is in no team
    desk.does("silence", id="b", selectors=["agent:b"], until="09:50")
    assert desk.only.status == "silenced"
    assert [one.id for one in desk.only.silenced] == ["s", "b"]
    desk.at("09:50")
    assert desk.only.status == "escalated"
    assert desk.steps() == ["09:00:05 opened", "09:10:05 escalated", "09:20:00 silenced", "09:50:00 unsilenced"]
    assert "ann silences it until 2026-03-02 09:50." in desk.only.steps[-2].reason_en


def test_what_began_and_ended_in_silence_was_never_told() -> None:
    desk = Desk()
    desk.at("08:00").does("silence", id="s", selectors=["shift:day"], until="12:00")
    desk.at("09:00").alert("agent a").at("09:30").alert("agent a", "resolved", 0.9).at("09:40")
    assert desk.only.status == "resolved"
    assert desk.steps() == []
    assert desk.steps(loud=False) == ["09:00:05 opened", "09:32:00 resolved"]


def test_a_silence_that_ends_early_tells_what_still_fires_and_escalates_from_then() -> None:
    desk = Desk()
    desk.at("08:00").does("silence", id="s", selectors=["rule:low"], until="12:00")
    desk.at("09:00").alert("agent a").at("09:30")
    desk.does("unsilence", "bob", silence="s")
    desk.at("09:41")
    assert desk.steps() == ["09:30:00 unsilenced", "09:40:00 escalated"]
    assert desk.told[1][1].by == "bob"


def test_one_incident_can_be_silenced() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:01")
    desk.does("silence", incident=desk.only.id, until="10:00")
    assert desk.only.status == "silenced"
    desk.at("10:00").alert("queue q", rule="wait").at("10:00:05")
    assert desk.steps() == ["09:00:05 opened", "09:01:00 silenced", "10:00:00 unsilenced", "10:00:05 opened"]


def test_who_takes_care_no_longer_is_followed_by_the_next() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:05")
    desk.does("acknowledge", incident=desk.only.id)
    desk.at("09:30").does("unacknowledge", incident=desk.only.id, note="shift ends")
    desk.at("09:41")
    assert desk.steps() == ["09:00:05 opened", "09:05:00 acknowledged", "09:30:00 unacknowledged", "09:40:00 escalated"]


def test_the_same_action_twice_counts_once() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:01")
    id = desk.only.id
    for _ in range(2):
        desk.does("note", id="n", incident=id, note="called {them}")
        desk.does("acknowledge", id="k", incident=id)
        desk.does("silence", id="s", incident=id, until="10:00")
    assert [step.kind for step in desk.only.steps] == ["opened", "noted", "acknowledged", "silenced"]
    assert [note.note for note in desk.only.notes] == ["called {them}"]


def test_what_cannot_be_done_is_said() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:01")
    id = desk.only.id

    def why(kind: ActionKind, **fields: object) -> str | None:
        said = desk.does(kind, **fields)  # type: ignore[arg-type]
        return said.reason if said else None

    assert why("acknowledge", incident="nothing") == "no_incident"
    assert why("acknowledge") == "no_incident"
    assert why("silence", incident=id, until="08:00") == "no_end"
    assert why("silence", incident=id) == "no_end"
    assert why("silence", until="10:00") == "no_target"
    assert why("silence", incident=id, selectors=["rule:low"], until="10:00") == "no_target"
    assert why("silence", selectors=["nobody:x"], until="10:00") == "no_selector"
    assert why("silence", incident="nothing", until="10:00") == "no_incident"
    assert why("unsilence", silence="nothing") == "no_silence"
    desk.alert("agent a", "resolved", 0.9).at("09:10")
    assert why("acknowledge", incident=id) == "over"
    assert why("note", incident=id, note="a bad form") is None
    assert desk.only.notes[0].note == "a bad form"
    assert desk.only.members[0].value == 0.9


def test_a_clock_that_jumps_loses_no_step() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("08:00").at("08:55").alert("agent b")
    assert desk.only.steps == []
    desk.at("+3 09:00")  # everything is told as of when it was due
    assert desk.steps() == ["09:00:05 opened", "09:10:05 escalated"]


def test_over_the_day_on_which_clocks_go_back_minutes_are_minutes() -> None:
    desk = Desk()
    zone = ZoneInfo("Europe/Berlin")
    desk.now = round(datetime(2026, 10, 25, 2, 55, fold=0, tzinfo=zone).timestamp() * 1000)
    desk.alert("agent a")
    desk.now += 5_000
    desk.book.tick(desk.now)
    desk.now += 599_000  # 02:05 for the second time
    desk.book.tick(desk.now)
    desk.drain()
    assert desk.only.status == "firing"
    desk.now += 1_000
    desk.book.tick(desk.now)
    desk.drain()
    assert desk.only.status == "escalated"


def test_editing_a_rule_keeps_what_fires_and_removing_it_closes_that() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:01")
    edited = [rule.model_copy(update={"en": "Too low", "notify": ("others",)}) for rule in desk.rules]
    desk.drain()
    desk.rules = tuple(edited)
    desk.restart()
    desk.at("09:02")
    assert (desk.only.status, desk.only.name_en, desk.only.notify) == ("firing", "Too low", ["others"])
    desk.rules = (edited[1],)
    desk.restart()
    desk.at("09:03")
    assert desk.only.status == "resolved"
    assert desk.only.steps[-1].reason_en == "The alert rule low is no more: closed."


def test_a_rule_that_only_the_workers_know_has_incidents_by_its_id() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a", rule="new").at("09:01")
    desk.restart()
    desk.at("09:02")
    assert (desk.only.status, desk.only.name_en, desk.only.kpi) == ("firing", "new", "csat")


def test_what_is_over_is_forgotten_after_a_week() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").alert("agent a", "resolved", 0.9).at("09:10")
    assert list(desk.stored) == [f"incident|{desk.only.id}"]
    desk.at("+7 09:10")
    assert desk.stored == {}
    assert desk.book.alerts() == 0


def test_what_ends_while_time_leaps_is_told_before_it_is_forgotten() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:00:05").alert("agent a", "resolved", 0.9).at("+10 09:00")
    assert desk.only.status == "resolved"
    assert desk.steps() == ["09:00:05 opened", "09:02:05 resolved"]
    desk.at("+10 09:00:01").alert("agent b").at("+10 09:00:06")
    assert (desk.book.alerts(), len(desk.open())) == (1, 1)
    assert not [key for key in desk.stored if desk.written[min(desk.written)].id in key]


def test_who_ends_and_is_forgotten_holds_up_nobody() -> None:
    desk = Desk()
    for minute in range(8):
        desk.at(f"09:{minute:02}:00").alert(f"queue q{minute}", rule="wait")
        desk.alert(f"queue q{minute}", "resolved", 0.0, rule="wait")
    desk.alert("agent a").at("+10 09:00")
    assert [one.rule for one in desk.open()] == ["low"]
    assert [step for step in desk.steps() if step.endswith("escalated")] == ["09:17:05 escalated"]


def test_silence_that_nobody_acknowledges_ends_after_a_week() -> None:
    desk = Desk()
    desk.at("09:00").alert("agent a").at("09:40").alert("agent a", "no_data", 0.6).at("+7 09:40")
    assert desk.only.status == "resolved"


def test_no_incident_is_too_long_for_kafka() -> None:
    rules = [RULES[0].model_copy(update={"zh": "长" * 200, "runbook_zh": "长" * 2000, "runbook_en": "\\" * 2000})]
    desk = Desk(rules)
    desk.at("09:00")
    for number in range(300):
        desk.book.alert(
            Alert(
                rule="low", entity=f"agent|{number}" + "长" * 250, status="firing", severity="critical", at=clock("09:00"),
                since=clock("09:00"), kpi="csat", window="30m", threshold=0.8, team="队" * 256, reason_zh="因" * 900, reason_en="\x01" * 900,
            ),
            desk.now,
        )  # fmt: skip
    desk.at("09:01")
    for number in range(60):
        desk.does("note", incident=desk.only.id, note="记" * 2000, id=f"n{number}")
    assert desk.only.firing == 300
    assert len(desk.only.members) + desk.only.more_members == 300
    assert len(desk.only.notes) + desk.only.more_notes == 60
    assert desk.known[desk.only.id] == desk.only.steps[-1].number == 61


@pytest.mark.parametrize("seed", range(20))
def test_any_restarts_make_the_same_incidents(seed: int) -> None:
    """A random morning, undisturbed and with the stage started anew at random moments from what it has stored."""
    chance = random.Random(seed)
    roster = [entry for team in range(3) for entry in of_site(f"S{team % 2}", f"T{team}", f"a{team}", f"b{team}")]
    places = [f"agent {entry.agent_id}" for entry in roster] + ["team T0", "queue q", "site S0", "all"]
    desks = (Desk(roster=roster), Desk(roster=roster))
    again = random.Random(seed + 1000)
    second, state = 9 * 3600, dict.fromkeys(places, "resolved")
    for _ in range(120):
        second += chance.choice((0, 1, 3, 30, 200))
        time = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        place, what = chance.choice(places), chance.random()
        status = chance.choice(("firing", "firing", "no_data", "resolved"))
        status = "firing" if state[place] == "resolved" else status
        for desk in desks:
            if desk is desks[1] and again.random() < 0.3:
                desk.restart()
            desk.at(time)
            open_ = sorted(one.id for one in desk.open())
            if what < 0.75 or not open_:
                desk.alert(place, status, round(second % 100 / 100, 2))  # type: ignore[arg-type]
            elif what < 0.85:
                desk.does("acknowledge", incident=open_[second % len(open_)], id=f"k{second}")
            elif what < 0.95:
                until = f"{second // 3600 + 1:02}:00:00"
                desk.does("silence", selectors=[f"site:S{second % 2}", "rule:low"], id=f"s{second}", until=until)
            else:
                desk.does("note", incident=open_[0], id=f"n{second}", note="seen")
        state[place] = status if what < 0.75 or not open_ else state[place]
    for desk in desks:
        desk.at("+1 09:00")
        desk.drain()
    assert desks[0].told == desks[1].told
    assert {id: one.steps for id, one in desks[0].written.items()} == {
        id: one.steps for id, one in desks[1].written.items()
    }
    assert len(desks[0].told) > 10
