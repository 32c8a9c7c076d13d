"""A notifier on a manual clock: incidents go in as the topic has them, messages come out at robots that keep a log of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from streams.cases import store
from streams.contracts.outputs import ContactRecord, Incident, IncidentMember, IncidentStep
from streams.contracts.topics import Topic
from streams.database import Database
from streams.notifier import build
from streams.notifier.app import People, bounds, case_keeper, composer
from streams.notifier.channels.channel import Channel
from streams.notifier.config import Config, read
from streams.notifier.digests import Digests
from streams.notifier.dispatch import Dispatcher
from streams.notifier.follow import Follower
from streams.notifier.health import Health
from streams.notifier.journal import _SCHEMA, Journal
from streams.notifier.planning import Planner
from streams.notifier.records import RecordFollower
from streams.people.duty import DutyBook
from streams.settings import Settings
from streams.windows.clock import instant
from tests.support.robots import FakeRobot, Kind

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENVIRONMENT = {"KEY": "0123456789abcdef0123", "WHSEC": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def incident(
    id: str = "i1", *, kinds: Iterable[str] = ("opened",), at: datetime = START, every: float = 0.0, **given: Any
) -> Incident:
    """An incident with a step of each kind, ``every`` so many seconds."""
    status = {
        "opened": "firing",
        "grew": "firing",
        "worse": "firing",
        "no_data": "firing",
        "noted": "firing",
        "unacknowledged": "firing",
        "unsilenced": "firing",
        "merged": "resolved",
    }
    steps = [
        IncidentStep(
            number=number, at=at + timedelta(seconds=every * (number - 1)), kind=kind, status=status.get(kind, kind), severity=given.get("severity", "critical"),
            reason_zh=f"班组 T2 近30分钟客户满意度 72.0%（样本 25），步骤{number}", reason_en=f"Customer satisfaction, team T2: 72.0 % (n=25), step {number}",
            entity="team|T2", value=0.72, n=25, threshold=0.8, firing=1, members=1,
        )
        for number, kind in enumerate(kinds, 1)
    ]  # fmt: skip
    newest = steps[-1]
    own = IncidentMember(
        rule="low_satisfaction", entity="team|T2", status="firing", severity="critical", since=at, fired=at, changed=newest.at,
        threshold=0.8, fired_value=0.72, fired_n=25, value=0.7, n=30,
    )  # fmt: skip
    values: dict[str, Any] = {
        "id": id, "rule": "low_satisfaction", "entity": "team|T2", "name_zh": "客户满意度低于80%", "name_en": "Satisfaction below 80 %",
        "kpi": "csat", "window": "30m", "severity": "critical", "status": newest.status, "opened": at, "changed": newest.at,
        "resolved": newest.at if newest.status == "resolved" else None, "firing": 1, "members": [own], "labels": {"team": ["T2"]}, "steps": steps,
        "runbook_zh": "查看差评服务记录", "runbook_en": "Read the badly rated contacts",
    }  # fmt: skip
    return Incident(**values | given)


class KilledError(BaseException):
    """The process is gone, here and now."""


@dataclass
class Notifier:
    """One notifier after another on the same journal and the same robots. ``now``: ms, moved by hand."""

    folder: Path
    config: Config
    robots: dict[str, FakeRobot]
    settings: Settings
    now: int = round(START.timestamp() * 1000)
    offset: int = 0
    sends: bool = True
    by_wall_clock: bool = True
    url: str | None = None
    #: Who reports to whom, and who is on duty.
    duties: DutyBook | None = None
    topic: dict[str, Incident] = field(default_factory=dict)
    #: Events that closing cases has sent: key, event.
    sent: list[tuple[bytes, bytes]] = field(default_factory=list)
    channels: dict[str, Channel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """As after a kill: everything that was in memory is gone."""
        environment = ENVIRONMENT | {f"{name.upper()}_URL": robot.url for name, robot in self.robots.items()}
        for name, own in self.config.channels.items():
            self.channels[name] = build.channel(own, environment, self.robots[name].client)
        self.database = Database(self.url or f"sqlite:///{self.folder / 'scores.db'}", _SCHEMA)
        self.journal = Journal(self.database, Random(1))
        people = People(self.settings, self.clock)
        links = build.links(self.config, environment)
        compose = composer(self.settings, self.config, people, links, {}, self.clock)
        self.dispatchers = {
            name: Dispatcher(name, channel, self.journal, bounds(self.config, name), compose, self.clock)
            for name, channel in self.channels.items()
        }
        keeper = case_keeper(self.settings, self.config, self.journal, people, self.sends, self.by_wall_clock)
        book = self.duties
        if keeper is not None and book is not None:
            keeper = replace(keeper, duties=lambda: book)
        digests = Digests(self.settings, self.config, self.journal, lambda: book or people.duties, self.sends)
        self.health = Health()
        self.records = RecordFollower(
            self.settings, keeper, (digests,), lambda: None, self.send, self.clock, self.health.cases
        )
        self.follower = Follower(
            self.settings,
            self.journal,
            lambda first: Planner(self.config, people.duties, instant(self.now), self.sends, self.by_wall_clock, first),
            lambda: None,
            self.health.incidents,
            self.clock,
            keeper,
        )

    def send(self, topic: Topic, key: bytes, value: bytes) -> None:
        """What closing a case tells a contact."""
        self.sent.append((key, value))

    def reads(self, *records: ContactRecord) -> None:
        """The topic of contact records has these."""
        self.offset += len(records)
        self.records.take([msgspec.json.encode(one) for one in records], {"contact-records|0": self.offset})

    def waits(self, until: datetime) -> None:
        """Let time pass to a moment; what cases are due for on the way happens when it is due."""
        end, due = round(until.timestamp() * 1000), self.now
        while due <= end:
            self.now = due
            self.records._look_after()
            with self.database.read() as connection:
                coming = [one.next_at for one in store.listed(connection, status="open") if one.next_at]
            due = min((at for at in coming if at > self.now), default=end + 1)
        self.now = end
        self.records._look_after()
        self.works()

    def clock(self) -> int:
        return self.now

    def hears(self, *read: Incident, first: bool = False) -> int:
        """The topic has these."""
        self.topic |= {one.id: one for one in read}
        self.offset += len(read)
        return self.follower.take([msgspec.json.encode(one) for one in read], self.offset, first)

    def works(self, seconds: float = 0.0, channels: Iterable[str] = ()) -> None:
        """Let so much time pass; each channel does what it can the moment it can."""
        until = self.now + round(seconds * 1000)
        names = list(channels) or list(self.dispatchers)
        due: dict[str, int | None] = dict.fromkeys(names, self.now)
        while True:
            waiting = {name: at for name, at in due.items() if at is not None and at <= until}
            if not waiting:
                break
            name = min(waiting, key=lambda one: waiting[one])
            self.now = max(self.now, waiting[name])
            before = self.now
            due[name] = self.dispatchers[name].work()
            assert due[name] is None or due[name] >= before
        self.now = until

    def states(self) -> dict[tuple[str, int, str], str]:
        """(incident, step, channel) → state."""
        return {
            (row["incident"], row["step"], row["channel"]): row["state"] for row in self.journal.told(limit=100_000)
        }

    def close(self) -> None:
        for channel in self.channels.values():
            channel.close()
        self.database.close()


def notifier(
    folder: Path,
    kinds: Mapping[str, Kind],
    make: Callable[[dict[str, Any]], None] = lambda _: None,
    policy: Path | None = None,
    **given: Any,
) -> Notifier:
    """A notifier with a channel of each kind, and a route that takes all to all of them; ``make`` changes the file."""
    raw: dict[str, Any] = {
        "language": "zh",
        "channels": {name: {"type": kind, "url": f"${name.upper()}_URL"} for name, kind in kinds.items()},
        "routes": {"all": {"to": list(kinds)}},
    }
    make(raw)
    there: list[Notifier] = []
    robots = {
        name: FakeRobot(kind, lambda: there[0].now / 1000 if there else START.timestamp())
        for name, kind in kinds.items()
    }
    made = Notifier(folder, read(raw), robots, Settings(data_dir=folder, policy_file=policy), **given)
    there.append(made)
    return made
