"""What happens to the calls while they run: transfers, pauses, agents who come and go, callers whom Asterisk itself calls."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

from streams.sources.asterisk.ami.link import Link, Message
from tests.asterisk.switch import FLOATING, QUEUES, Switch

_REASONS = ("lunch", "course", "")


class Driver:
    """Acts by chance, reproducibly as far as the calls are, until it is stopped."""

    def __init__(self, switch: Switch, seed: int, recorded: Path | None = None) -> None:
        """``recorded``: takes every message that came."""
        self._switch, self._chance, self._recorded = switch, random.Random(seed), recorded
        self._stop, self._thread = Event(), Thread(target=self._run, daemon=True)
        self._due: list[tuple[float, str, dict[str, str]]] = []
        self._paused: set[str] = set()
        self._there = False
        self._calm = False
        self._talking: dict[str, str] = {}
        self._holding: dict[str, int] = {}
        #: Call → when it was first held (s since 1970), and for how long in all (ms).
        self.held: dict[str, tuple[float, int]] = {}
        self.rotate, self.calming = Event(), Event()
        self.rotations = 0
        #: How often each thing was done.
        self.did: Counter[str] = Counter()
        self.failed: BaseException | None = None

    def __enter__(self) -> Driver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    def _run(self) -> None:
        try:
            with self._switch.driven() as link:
                link.send("Ping", ActionID="clock")
                link.send("QueueStatus", ActionID="deskpulse-status")
                next_act = monotonic()
                while not self._stop.is_set():
                    for message in link.receive(0.2):
                        self._record(message)
                        self._note_hold(message)
                        self._heard(message)
                    self._do_due(link)
                    if self.rotate.is_set():
                        self._rotate(link)
                    if self.calming.is_set():
                        self._come_back(link)
                    if monotonic() >= next_act and not self._calm:
                        next_act = monotonic() + self._chance.uniform(0.7, 2.0)
                        self._act(link)
        except BaseException as error:
            self.failed = error
            raise

    def _record(self, message: Message) -> None:
        if self._recorded is not None:
            with self._recorded.open("a") as file:
                file.write("".join(f"{key}: {value}\n" for key, value in message.items()) + "\n")

    def _heard(self, message: Message) -> None:
        if message.get("Event") != "AgentConnect":
            return
        draw, channel = self._chance.random(), message["DestChannel"]
        if draw < 0.10:
            self._due.append(
                (monotonic() + 1.0, "BlindTransfer", {"Channel": channel, "Context": "transfers", "Exten": "overflow"})
            )
        elif draw < 0.14:
            self._due.append(
                (monotonic() + 1.0, "BlindTransfer", {"Channel": channel, "Context": "transfers", "Exten": "300"})
            )
        elif draw < 0.22:
            self._due.append(
                (monotonic() + 0.8, "Atxfer", {"Channel": channel, "Context": "transfers", "Exten": "300"})
            )

    def _do_due(self, link: Link) -> None:
        now = monotonic()
        for item in [item for item in self._due if item[0] <= now]:
            self._due.remove(item)
            link.send(item[1], **item[2])
            self.did[item[1]] += 1

    def _act(self, link: Link) -> None:
        draw, members = self._chance.random(), QUEUES["support"][0]
        if draw < 0.35:
            member = self._chance.choice(members)
            if member in self._paused:
                self._paused.discard(member)
                link.send("QueuePause", Interface=member, Paused="false")
            elif len(self._paused) < 2:
                self._paused.add(member)
                link.send("QueuePause", Interface=member, Paused="true", Reason=self._chance.choice(_REASONS))
            self.did["pause"] += 1
        elif draw < 0.45:
            if self._there:
                link.send("QueueRemove", Queue="support", Interface=FLOATING)
            else:
                link.send("QueueAdd", Queue="support", Interface=FLOATING)
            self._there = not self._there
            self.did["come or go"] += 1
        elif draw < 0.57:
            # Asterisk is the caller, and goes after some seconds.
            number = {"Async": "true", "CallerID": "13900009999"}
            if self._chance.random() < 0.7:
                link.send(
                    "Originate",
                    Channel="Local/300@transfers",
                    Context="callers",
                    Exten="support",
                    Priority="1",
                    **number,
                )
            else:
                channel = "Local/support@callers" + self._chance.choice(("", "/n"))
                link.send("Originate", Channel=channel, Application="Wait", Data="4", **number)
            self.did["originated"] += 1

    def _rotate(self, link: Link) -> None:
        self.rotate.clear()
        log, self.rotations = self._switch.queue_log, self.rotations + 1
        log.rename(log.with_name(f"queue_log.{1000 - self.rotations}"))
        link.send("Command", Command="logger reload")
        self.did["rotation"] += 1

    def calm(self) -> None:
        """Nothing is done any more, and everybody who pauses comes back."""
        self.calming.set()
        while self.calming.is_set() and self._thread.is_alive():
            sleep(0.1)

    def _come_back(self, link: Link) -> None:
        for member in sorted(self._paused):
            link.send("QueuePause", Interface=member, Paused="false")
        self._paused.clear()
        self._calm = True
        self.calming.clear()

    def _note_hold(self, message: Message) -> None:
        """A second reading of what the follower is to find: channels of agents while they have a call, and for how long they hold it."""
        at, own = round(float(message.get("Timestamp", "0")) * 1000), message.get("Uniqueid", "")
        match message.get("Event"):
            case "AgentConnect":
                self._talking[message["DestUniqueid"]] = own
            case "Hold" if own in self._talking:
                self._holding.setdefault(own, at)
            case "Unhold":
                self._end_hold(own, at)
            case "AgentComplete" | "Hangup":
                # Of an agent's channel that is gone already it says nothing; and AgentComplete may not come at all.
                for channel in [channel for channel, call in self._talking.items() if call == own]:
                    self._end_hold(channel, at)
                    del self._talking[channel]

    def _end_hold(self, channel: str, at: int) -> None:
        if (since := self._holding.pop(channel, None)) is not None:
            call = self._talking[channel]
            first, held = self.held.get(call, (since / 1000, 0))
            self.held[call] = first, held + at - since
