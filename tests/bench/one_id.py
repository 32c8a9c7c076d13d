"""What an event costs under an id that is used again and again: a customer id that many callers share, a contact that goes on for weeks.

    python -m tests.bench.one_id            # 100,000 contacts of one id, one chat of 10,000 messages: some two minutes

The first stage on one core, without Kafka, written back after every few events as a worker does at each checkpoint; beside the same events
under ids of their own, in the same run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import process_time

from streams.contacts import customer as customers
from streams.contacts.stage import ContactsStage
from streams.contracts.records import Message
from streams.contracts.topics import CUSTOMERS
from streams.kpi.policy.model import Policy
from streams.roster import Roster
from streams.windows.clock import EventClock
from streams.worker.state.store import ChangelogStore, WriteBackCache

START = datetime(2026, 3, 2, tzinfo=UTC)
#: Events from one write-back to the next.
_EVERY = 20
#: Parts of a run, each with its own cost.
_PARTS = 5


@dataclass
class Costs:
    """Of a run: µs an event in each fifth of it, and the longest value that was stored, in bytes."""

    micros: list[float] = field(default_factory=list)
    longest: int = 0


def calls(number: int, customer: str | None, days: float = 31) -> Iterator[bytes]:
    """So many calls spread over the days, three events each; ``customer`` None: each of a customer of its own."""
    for index in range(number):
        at = START + timedelta(days=days) * index / number
        base = {"source": "bench", "contact_id": f"c{index}", "customer_id": customer or f"k{index}"}
        yield _event("call.queued", f"{index}q", at, queue_id="q", **base)
        yield _event("call.answered", f"{index}a", at + timedelta(seconds=5), agent_id=f"a{index % 50}", **base)
        yield _event("call.ended", f"{index}e", at + timedelta(seconds=65), agent_id=f"a{index % 50}", **base)


def chat(messages: int, days: float, contacts: int = 1, late: int = 0) -> Iterator[bytes]:
    """So many messages over the days, shared out to so many chats; every so many-th one (``late``) comes after the one that follows it."""
    told = []
    for index in range(messages):
        at = START + timedelta(days=days) * index / messages
        base = {"source": "bench", "contact_id": f"c{index % contacts}", "customer_id": f"k{index % contacts}"}
        sender = ("customer", "agent")[index // contacts % 2]
        told.append(_event("chat.message", f"m{index}", at, sender=sender, agent_id="a", **base))
    for index in range(0, messages - contacts, late or messages):
        if late:
            told[index], told[index + contacts] = told[index + contacts], told[index]
    yield from told


def cost(events: Sequence[bytes], policy: Policy | None = None) -> Costs:
    """Take the events in, written back after every few; what is written leaves memory now and then, as in a worker."""
    store = ChangelogStore()
    people: WriteBackCache[customers.Customer] = WriteBackCache(
        store, lambda key, raw: customers.load(raw, key), customers.dump, customers.Customer, CUSTOMERS.name
    )
    stage, clock, out = ContactsStage(policy or Policy(), Roster()), EventClock(), Costs()
    size = max(1, len(events) // _PARTS)
    for part in range(0, len(events) - len(events) % size, size):
        began = process_time()
        for start in range(part, part + size, _EVERY):
            result = stage.process(events[start : start + _EVERY], people, clock, machine=2**52, event_time=True)
            assert not result.rejected, result.rejected[0]
            people.mark(0, result.touched)
            people.flush_changed()
            out.longest = max(out.longest, _longest(store.drain()))
        people.evict(1000)
        out.micros.append((process_time() - began) / size * 1e6)
    return out


def _longest(written: Mapping[int, Sequence[Message]]) -> int:
    return max((len(value or b"") for messages in written.values() for _, value, _ in messages), default=0)


def _event(type_: str, id: str, at: datetime, **fields: str | None) -> bytes:
    return json.dumps({"type": type_, "id": id, "time": at.isoformat(), **fields}).encode()


def main() -> None:
    """Print costs beside those of ids of their own."""
    runs = {
        "calls, each of a customer of its own": list(calls(100_000, None)),
        "calls of one customer id": list(calls(100_000, "front desk")),
        "calls of one customer id, 19 a day, for 33 days": list(calls(627, "k", 33)),
        "10,000 chats of one message a day": list(chat(10_000, 31, 10_000)),
        "one chat, 10,000 messages in a month": list(chat(10_000, 31)),
        "one chat, 10,000 messages in a day": list(chat(10_000, 1)),
        "one chat, 10,000 messages in a month, one in ten late": list(chat(10_000, 31, late=10)),
    }
    for name, events in runs.items():
        found = cost(events)
        print(
            f"{name}: {', '.join(f'{each:.0f}' for each in found.micros)} µs an event; longest value {found.longest} bytes",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
