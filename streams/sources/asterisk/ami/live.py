"""AMI beside the log: a thread that is connected and reads, and what its messages come to, in the follower's own.

Whenever it was away, all is asked for anew by QueueStatus: states are told again as they are, calls that were under way meanwhile are not
compared.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.secret_files import value_of
from streams.sources.asterisk.ami.calls import Calls, Difference
from streams.sources.asterisk.ami.floor import Floor
from streams.sources.asterisk.ami.link import Link, Message, connected
from streams.sources.asterisk.names import Ami, Config, Names
from streams.sources.live import metrics
from streams.sources.live.connection import MOST_WAITING, NO_CLOCK_MS, LoginError, StaysConnected
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: What QueueStatus is asked by, and how long until it is asked again where Asterisk does not know it yet. Seconds.
_STATUS, _BOOTING_SECONDS = "deskpulse-status", 2.0
#: Marks in the row of messages: connected, and gone.
_UP, _DOWN = {"Link": "up"}, {"Link": "down"}


def where(ami: Ami) -> str:
    """How an AMI is named."""
    return f"AMI at {ami.host}:{ami.port}"


def refused(ami: Ami, why: object) -> str:
    """What to do where Asterisk lets nobody in."""
    return (
        f"{where(ami)} does not let {ami.user} in: {why}; see [{ami.user}] in Asterisk's manager.conf (secret, permit, "
        f"read = system,call,agent) and {ami.secret} here, then `manager reload` on its console"
    )


class Reader(StaysConnected[Link, Message]):
    """Hears one AMI."""

    def __init__(self, ami: Ami, secret: str, clock: Callable[[], int]) -> None:
        """``clock``: this machine's, ms since 1970."""
        super().__init__("ami", where(ami), clock)
        self.ami, self._secret = ami, secret

    def _connected(self) -> AbstractContextManager[Link]:
        return connected(self.ami.host, self.ami.port, self.ami.user, self._secret, tls=self.ami.tls)

    def _refused(self, error: LoginError) -> str:
        return refused(self.ami, error)

    def _read(self, link: Link) -> None:
        self.row.append((self._clock(), _UP))
        link.send("Ping", ActionID="clock")
        link.send("QueueStatus", ActionID=_STATUS)
        ask_again = 0
        try:
            while not self._stop.is_set():
                for message in link.receive(0.5):
                    now = self._clock()
                    if message.get("ActionID") == _STATUS and message.get("Response") == "Error":
                        ask_again = now + round(
                            _BOOTING_SECONDS * 1000
                        )  # Asterisk starts, its queues are not there yet
                        self.trouble = f"{where(self.ami)}: {message.get('Message', 'no QueueStatus')}"
                        continue
                    if message.get("Event") == "QueueStatusComplete":
                        self.trouble = ""
                    self.row.append((now, message))
                if ask_again and self._clock() >= ask_again:
                    ask_again = 0
                    link.send("QueueStatus", ActionID=_STATUS)
                if len(self.row) > MOST_WAITING:
                    self.row.clear()
                    raise OSError("too much has come that could not be sent on")
        finally:
            self.row.append((self._clock(), _DOWN))


class Live:
    """What AMI adds to one Asterisk's log."""

    def __init__(self, config: Config, names: Names, environment: Mapping[str, str], clock: Callable[[], int]) -> None:
        """Raises ValueError where the secret is not there. ``clock``: this machine's, ms since 1970."""
        assert config.ami is not None
        self._source, self._clock = config.source, clock
        self.reader = Reader(config.ami, value_of(config.ami.secret, environment), clock)
        self.floor = Floor(config.source, names, config.ami.wrap_up_seconds)
        self.calls = Calls(config)
        self.breaks = 0
        #: How far Asterisk's clock is ahead of this machine's, ms; and whether its events tell the time.
        self._ahead, self._tells_time = 0, False
        #: Events that Kafka has not acknowledged yet.
        self.pending: list[AnyEvent] = []

    def take(self) -> None:
        """Work on all that has come. Raises ValueError where Asterisk does not let it in."""
        if self.reader.locked_out:
            raise ValueError(self.reader.locked_out)
        while self.reader.row:
            received, message = self.reader.row.popleft()
            self.pending += self.heard(message, received)
        self.pending += self.floor.due(self._clock() + self._ahead)

    def heard(self, message: Message, received: int) -> list[AnyEvent]:
        """What a message comes to; ``received``: when it came, by this machine's clock (ms)."""
        if message is _UP:
            self.floor.begin()
            self.calls.begin(received + self._ahead)
            return []
        if message is _DOWN:
            self.breaks += 1
            self.calls.lost()
            metrics.AMI_BREAKS.labels(self._source).inc()
            return list(self.floor.lost())
        at = self._moment(message, received)
        if message.get("ActionID") == "clock":
            self.calls.begin(at)
        return [*self.floor(message, at), *self.calls(message, at)]

    def _moment(self, message: Message, received: int) -> int:
        """When it was, by Asterisk's clock where Asterisk says (``timestampevents = yes`` in manager.conf)."""
        try:
            at = round(float(message["Timestamp"]) * 1000)
        except (KeyError, ValueError, OverflowError):
            return received + self._ahead
        if abs(at - received) > NO_CLOCK_MS:
            return received + self._ahead
        if message.get("ActionID") == "clock":
            self._ahead = at - received
        self._tells_time = self._tells_time or "Event" in message
        return at

    def log_said(self, event: AnyEvent) -> list[AnyEvent]:
        """The log has told this: what AMI says to it, to be sent behind it."""
        if isinstance(event, e.AgentStateChanged):
            return list(self.floor.answer(event))
        return self.calls.log_said(event)

    def log_again(self) -> None:
        """The log is read again from where it was stored."""
        self.calls.log_again(self._clock() + self._ahead)

    def differences(self, log_read_until: int) -> Sequence[Difference]:
        """Those that have been found since they were asked for. ``log_read_until``: the time of the log's last line (ms)."""
        self.pending += self.calls.due(self._clock() + self._ahead, log_read_until)
        new, self.calls.new = self.calls.new, []
        return new

    def told(self) -> dict[str, Any]:
        """For the health page."""
        said: dict[str, Any] = {
            "state": "connected" if self.floor.live else "waiting",
            "breaks": self.breaks,
            "agents": len(self.floor.people),
            "waiting": {
                queue: {"callers": count, "since": instant(first).isoformat()}
                for queue, (count, first) in self.calls.waiting.items()
            },
            "compared": self.calls.compared,
            "not_compared": self.calls.not_compared,
            "differences": [str(each) for each in self.calls.differences],
        }
        if not self.floor.live:
            said["reason"] = self.reader.trouble or "QueueStatus is awaited"
        elif not self._tells_time:
            said["reason"] = "its events have no time: set `timestampevents = yes` in manager.conf"
        return said
