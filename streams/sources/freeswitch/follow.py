"""A FreeSWITCH on its way to Kafka: heard by its event socket, kept on disk until Kafka has it, looked up again after every break.

The event socket tells each thing once, to whoever is connected. What was missed is looked up where the switch still knows it
(``callcenter_config``), or has written it down (mod_json_cdr); what nobody knows is named.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event
from typing import Any, TypeAlias

import msgspec

from streams.contracts.decode import refuse
from streams.contracts.events import AnyEvent
from streams.sources.expressions.people import caller
from streams.sources.freeswitch import cdr
from streams.sources.freeswitch.agents import Agents
from streams.sources.freeswitch.calls import Calls
from streams.sources.freeswitch.link import Fields, Link, connected
from streams.sources.freeswitch.names import Config
from streams.sources.freeswitch.story import Break, Story
from streams.sources.live import metrics
from streams.sources.live.connection import MOST_WAITING, NO_CLOCK_MS, LoginError, StaysConnected
from streams.sources.live.health import Health
from streams.sources.live.names import Named
from streams.sources.live.outbox import Mark, Outbox
from streams.sources.live.place import Place, Sender, append
from streams.sources.table.rows import RejectedRow
from streams.sources.vendors.freeswitch import FreeSwitch
from streams.sources.vendors.record import Pseudonym
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: Between two looks at what has come, two questions after agents' wrap-up, and two looks for records of calls. Seconds.
_LOOK_SECONDS, _ASK_SECONDS, _RECORDS_SECONDS = 0.2, 60.0, 10.0
#: So long the end may be on its way of a call that the switch knows no more; with records of calls, that of a wait, and of a talk. ms.
_GRACE_MS, _RECORD_MS, _TALK_MS = 10_000, 120_000, 4 * 3_600_000
#: So old a record must be before it is read: what is heard comes first. Seconds.
_SETTLES_SECONDS = 5.0
_MOST_NAMES, _LAST_BREAKS = 100, 10
#: How long the last events may take when the process ends. Seconds.
_ENDS_SECONDS = 10.0
_DIGITS = 18
#: What was written so long ago has been read, with the agents' part of it. ms.
_RECORDED_MS = 600_000
_HOLDS = {"CHANNEL_HOLD": True, "CHANNEL_UNHOLD": False}


class Present(msgspec.Struct, frozen=True):
    """How all stands at the switch: rows of ``agent list``, ``member list``, ``queue list``."""

    agents: list[dict[str, str]]
    members: list[dict[str, str]]
    queues: list[dict[str, str]]


#: What comes: an event, how all stands, agents as they are; None: nothing more.
Heard: TypeAlias = Fields | Present | list[dict[str, str]] | None


class Stored(msgspec.Struct):
    """What is kept between two runs. ``since``: what lies before (ms since 1970) is not sent."""

    since: int
    mark: Mark = (0, 0)
    story: Story = msgspec.field(default_factory=Story)


def where(config: Config) -> str:
    """How an event socket is named."""
    return f"FreeSWITCH at {config.host}:{config.port}"


def locked_out(config: Config, why: object) -> str:
    """What to do where FreeSWITCH lets nobody in."""
    who = f"user {config.user}" if config.user else "event_socket.conf.xml (password, apply-inbound-acl)"
    return f"{where(config)} does not let it in: {why}; see {who} there, and {config.password} here"


def present(link: Link) -> Present:
    """Ask how all stands. Raises LoginError and OSError as the link."""
    return Present(*(link.rows(what) for what in ("agent list", "member list", "queue list")))


class Reader(StaysConnected[Link, Heard]):
    """Hears one event socket."""

    def __init__(self, config: Config, password: str, clock: Callable[[], int]) -> None:
        """``clock``: this machine's, ms since 1970."""
        super().__init__("event-socket", where(config), clock)
        self.config, self._password = config, password

    def _connected(self) -> AbstractContextManager[Link]:
        return connected(self.config.host, self.config.port, self._password, self.config.user)

    def _refused(self, error: LoginError) -> str:
        return locked_out(self.config, error)

    def _read(self, link: Link) -> None:
        self.row.append((self._clock(), present(link)))
        self.trouble, asked = "", self._clock()
        try:
            while not self._stop.is_set():
                for event in link.receive(0.5):
                    self.row.append((self._clock(), event))
                if (now := self._clock()) - asked > _ASK_SECONDS * 1000:
                    asked = now
                    self.row.append((now, link.rows("agent list")))
                if len(self.row) > MOST_WAITING:
                    raise OSError("more has come than can be worked on")
        finally:
            self.row.append((self._clock(), None))


class Follower:
    """Follows one FreeSWITCH."""

    def __init__(
        self,
        config: Config,
        pseudonym: Pseudonym,
        directory: Path,
        connect: Callable[[], Sender],
        first: int,
        health: Health,
        reader: Reader,
        clock: Callable[[], int],
    ) -> None:
        """``directory``: where it keeps its place. ``connect`` opens a producer. ``first``: at the very first start, what lies before (ms
        since 1970) is not sent. ``clock``: this machine's, ms since 1970.
        """
        self.config, self.names = config, Named(config.agents, config.queues)
        self._connect, self._first, self._health, self._reader, self._clock = connect, first, health, reader, clock
        self._place = Place(directory, config.source)
        self._pseudonym = pseudonym
        self._live, self._ahead = False, 0
        self._legs, self._read_records = cdr.Legs(), dict[Path, float]()
        #: Times that it has worked on what had come.
        self.turns = self._looked = 0
        self._shown: set[str] = set()
        self.breaks: deque[Break] = deque(maxlen=_LAST_BREAKS)

    def run(self, stop: Event) -> None:
        """Until ``stop``. Raises ValueError where another process follows the same source, its place cannot be read, or FreeSWITCH does not
        let it in.
        """
        with self._place.alone():
            advice = "remove it, and what is under way is looked up anew; what was sent counts once"
            stored = self._place.load(Stored, lambda: Stored(self._first), advice)
            self._begin(stored)
            outbox = Outbox(self._place.beside("outbox"), stored.mark, self._connect)
            outbox.start()
            self._reader.start()
            try:
                while not stop.is_set():
                    if self._reader.locked_out:
                        raise ValueError(self._reader.locked_out)
                    self.turn(stored, outbox)
                    self._tell(outbox)
                    self.turns += 1
                    stop.wait(_LOOK_SECONDS)
            finally:
                self._reader.stop()
                self.turn(stored, outbox)
                outbox.stop(_ENDS_SECONDS)

    def _begin(self, stored: Stored) -> None:
        self._since, self.story = stored.since, stored.story
        read = FreeSwitch(self._customer, self.config.source, self.names.agent, self.names.queue)
        self.agents = Agents(self.story, self.config.source, self.names.agent)
        self.calls = Calls(self.story, read, self.agents, self.config.source)

    def _customer(self, number: Any) -> str | None:
        if number is None or self.config.region is None:
            return self._pseudonym(number)
        return self._pseudonym(caller(str(number), self.config.region))

    def turn(self, stored: Stored, outbox: Outbox) -> None:
        """Work on all that has come, and store what it comes to before anything else is heard."""
        events: list[AnyEvent] = []
        any_came = bool(self._reader.row)
        while self._reader.row:
            received, what = self._reader.row.popleft()
            events += self._heard(what, received)
        now = self._clock() + self._ahead
        events += self.agents.due(now)
        events += self._after_break(now)
        sound = [event for event in events if event.at >= self._since and self._is_sound(event)]
        for event in sound:
            self.story.sequence += 1
            event.sequence = self.story.sequence
        if sound or any_came:
            stored.mark = outbox.put(sound)
            self._place.store(stored)

    def _heard(self, what: Fields | Present | list[dict[str, str]] | None, received: int) -> list[AnyEvent]:
        if what is None:
            self._live = False
            return []
        if isinstance(what, Present):
            return self._connected(what, received)
        if isinstance(what, list):
            self.agents.wrap_ups(what)
            return []
        try:
            told = self._event(what, received)
        except (ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
            self._refuse(what, str(error))
            return []
        metrics.LINES.labels(self.config.source, "left_out" if told is None else "told").inc()
        return told or []

    def _event(self, fields: Fields, received: int) -> list[AnyEvent] | None:
        written = str(fields.get("Event-Date-Timestamp", ""))
        if not (written.isascii() and written.isdigit() and len(written) < _DIGITS):
            raise ValueError(f"Event-Date-Timestamp: {written!r} is no count of microseconds since 1970")
        at = int(written) // 1000
        if abs(at - received) < NO_CLOCK_MS:
            self._ahead = at - received
        self.story.heard = max(self.story.heard, at)
        if (holds := _HOLDS.get(str(fields.get("Event-Name")))) is not None:
            self.calls.held(str(fields.get("Unique-ID", "")), holds, at)
            return []
        if fields.get("Event-Subclass") != "callcenter::info":
            return None
        due = list[AnyEvent](self.agents.due(at))
        match fields.get("CC-Action"):
            case "agent-status-change":
                return [*due, *self.agents.status(str(fields["CC-Agent"]), str(fields.get("CC-Agent-Status")), at)]
            case "agent-state-change":
                return [*due, *self.agents.state(str(fields["CC-Agent"]), str(fields.get("CC-Agent-State")), at)]
            case _:
                told = self.calls(fields)
                return told if told is None else [*due, *told]

    def _is_sound(self, event: AnyEvent) -> bool:
        if (refusal := refuse(event)) is None:
            return True
        self._refuse({"id": event.id}, f"{event.id}: {refusal.detail}")
        return False

    def _refuse(self, fields: Mapping[str, Any], why: str) -> None:
        """To a file, for whoever mends it; the health page says why, without callers' numbers."""
        metrics.LINES.labels(self.config.source, "refused").inc()
        self._health.refused.append({"reason": why})
        kept = self._place.beside("refused")
        _LOG.warning("%s: a message was refused: %s; it is in %s", self.config.source, why, kept)
        few = {key: value for key, value in fields.items() if key.startswith(("CC-", "Event-"))}
        append(kept, [f"{msgspec.json.encode(few).decode()}\t{why}\n"])

    # -- breaks ---------------------------------------------------------------------------------------------------------

    def _connected(self, how: Present, received: int) -> list[AnyEvent]:
        now, cut = received + self._ahead, Break(self.story.heard or received, received + self._ahead)
        if self.story.heard:
            metrics.BREAKS.labels(self.config.source).inc()
            self._close_break()
            before, from_ = self.story.last_break, self.story.records_from
            under_way = before is not None and now - before.over < _TALK_MS and from_ > 0
            self.story.records_from = min(from_, cut.began) if under_way else cut.began
            self.story.last_break = cut
            self.breaks.append(cut)
            for member in self.story.members.values():  # who held what meanwhile, nobody heard
                member.whole, member.holds_since = member.whole and not member.answer, 0
        self._live, self._looked = True, 0
        queues = {row.get("name", ""): row for row in how.queues}
        told: list[AnyEvent] = list(self.agents.look(how.agents, now, self._since))
        told += self.calls.look(how.members, queues, now, self._since, cut)
        for what, count in cut.found.items():
            metrics.LOOKED_UP.labels(self.config.source, what).inc(count)
        return told

    def _after_break(self, now: int) -> list[AnyEvent]:
        """What was under way in the last break and is gone: from records of calls, else named."""
        cut = self.story.last_break
        told: list[AnyEvent] = []
        if cut is not None and self.config.cdr is not None and now - cut.over < _TALK_MS:
            # A call that goes on after its queue is recorded when it is over.
            often = _RECORDS_SECONDS if now - cut.over < 2 * _RECORD_MS else 6 * _RECORDS_SECONDS
            if now - self._looked >= often * 1000:
                self._looked = now
                told += self._from_records(self.config.cdr, cut, now)
        if self._live:
            waits, talks = (_GRACE_MS, _GRACE_MS) if self.config.cdr is None else (_RECORD_MS, _TALK_MS)
            known = 0 if cut is None else len(cut.unknown)
            told += self.calls.give_up(now - waits, now - talks, now, cut)
            if cut is not None and len(cut.unknown) > known:
                metrics.NOT_KNOWN.labels(self.config.source).inc(len(cut.unknown) - known)
                _LOG.warning("%s: not known after a break: %s", self.config.source, "; ".join(_named(cut)[known:]))
        return told

    def _from_records(self, directory: Path, cut: Break, now: int) -> list[AnyEvent]:
        try:
            paths = cdr.files(directory, (self.story.records_from - self._ahead) / 1000 - _SETTLES_SECONDS)
        except OSError as error:
            _LOG.warning("%s: %s", self.config.source, error)
            return []
        told: list[AnyEvent] = []
        for path in paths:
            written = path.stat().st_mtime if path.exists() else 0.0
            if self._read_records.get(path) == written or written * 1000 > now - self._ahead - _SETTLES_SECONDS * 1000:
                continue
            self._read_records[path] = written
            leg = cdr.variables(path)
            if isinstance(leg, RejectedRow):
                self._refuse({}, leg.reason)
            else:
                self._legs.add(leg)
        for events in self._legs.told():
            came = self._by_record(events)
            if came:
                cut.found["by_cdr"] = cut.found.get("by_cdr", 0) + 1
                metrics.LOOKED_UP.labels(self.config.source, "by_cdr").inc()
            told += came
        self.story.records_from = max(self.story.records_from, now - _RECORDED_MS)
        return told

    def _by_record(self, events: Iterable[dict[str, Any]]) -> list[AnyEvent]:
        told: list[AnyEvent] = []
        for fields in events:
            if int(fields["CC-Member-Joined-Time"]) * 1000 < self._since:
                return []
            try:
                told += self.calls(fields) or []
            except (ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
                self._refuse(fields, str(error))
        return told

    def _close_break(self) -> None:
        """The last one goes to its file, for ``source reconcile`` and whoever asks what a day lacks."""
        if (cut := self.story.last_break) is not None:
            append(self._place.beside("breaks"), [f"{msgspec.json.encode(cut).decode()}\n"])

    # -- how it is ------------------------------------------------------------------------------------------------------

    def _tell(self, outbox: Outbox) -> None:
        label, names = self.config.source, self.names
        metrics.UNREAD_BYTES.labels(label).set(outbox.unsent)
        metrics.LAST_SECONDS.labels(label).set(self.story.heard / 1000)
        metrics.UNMAPPED.labels(label, "agents").set(len(names.unknown_agents))
        metrics.UNMAPPED.labels(label, "queues").set(len(names.unknown_queues))
        metrics.UP.labels(label).set(self._live)
        metrics.EVENTS.labels(label).inc(outbox.taken())
        waiting = self._waiting() if self._live else {}
        for queue in self._shown - waiting.keys():
            if self._live:
                metrics.WAITING.labels(label, queue).set(0)
            else:  # nobody knows who waits: that is not 0
                metrics.WAITING.remove(label, queue)
        for queue, count in waiting.items():
            metrics.WAITING.labels(label, queue).set(count)
        self._shown = (self._shown | waiting.keys()) if self._live else set()
        said: dict[str, Any] = {
            "switch": where(self.config),
            "unread_bytes": outbox.unsent,
            "sent": outbox.acknowledged,
            "calls": len(self.story.members),
            "waiting": waiting,
            "unmapped": names.unmapped(_MOST_NAMES),
            "breaks": [_said(cut) for cut in self.breaks],
        }
        if self.story.heard:
            said["last_heard"] = instant(self.story.heard).isoformat()
        trouble = outbox.trouble and f"trying again: {outbox.trouble}"
        self._health.beat(
            said, trouble or ("" if self._live else self._reader.trouble or "it is asking how all stands")
        )

    def _waiting(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for member in self.story.members.values():
            if not member.answer and not member.gone:
                queue = self.config.queues.get(member.queue, member.queue)
                found[queue] = found.get(queue, 0) + 1
        return found


def _named(cut: Break) -> list[str]:
    return [f"call {session}: {what}" for session, what in cut.unknown.items()]


def _said(cut: Break) -> dict[str, Any]:
    """A break, for the health page."""
    return {
        "from": instant(cut.began).isoformat(),
        "to": instant(cut.over).isoformat(),
        "looked_up": cut.found,
        "not_known": _named(cut),
    }
