"""Sends mutated messages through a real Kafka, good ones between them: every good one counts, every bad one is a dead letter for its reason.

``python -m tests.fuzz`` sends 300,000. What is wrong with a message is not known beforehand, as a changed byte may leave an event that is
sound: the pure path decides, message by message, and a plain JSON reader must agree where it finds no object. (What stands in names and
values that are no fields of ours is not looked at by the decoder: bytes there that are no UTF-8 are no fault.)
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

import msgspec
import typer
from kafka import KafkaProducer

from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from deploy.local.redis import LocalRedis
from streams.contracts import topics
from streams.contracts.decode import Rejected, decode_contact, decode_presence, encode
from streams.contracts.events import AnyEvent
from streams.kafka.connection import kafka_python_options
from streams.kafka.drained import wait_until_processed
from streams.kafka.topics import ensure_topics
from streams.pipeline import run
from streams.settings import Settings
from streams.sources.simulated import simulate
from streams.system_clock import machine_ms
from streams.windows.clock import instant
from streams.worker.dead_letters import HEAD_BYTES
from tests.support.operation import answers, facts, messages, metric, policy_file, program
from tests.support.states import differences, whole_days

#: The desk's events lie within this time before now: none of them is too late for another.
_DESK_HOURS = 10
#: As far back as one of the desk's clocks may stand, a time that was mutated may be late or not: the worker says.
_UNSURE = timedelta(hours=_DESK_HOURS + 1)
_SETTLED_SECONDS = 900.0
_HUGE_BYTES = 900_000

Fields = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """What is sent: where, under which key, and what. Its header tells its number, which is its place in the run."""

    topic: str
    key: bytes | None
    value: bytes | None
    mutated: bool


# -- what goes wrong with a message ----------------------------------------------------------------------------------------

#: Values of every kind that a field can be given.
_STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, 2**53, 2**63, 2**64, -(2**70), "", " ", "0", "null", "NaN", "é", "电", "\x00", "\ud800", "\u202e",
    "x" * 300, "x" * 2000, [], [None], {}, {"a": {"b": []}}, [[[[[[]]]]]], "2026-02-30T00:00:00Z", "1999-12-31T23:59:59Z", "2026-01-01T00:00:00",
    "2200-01-01T00:00:00Z", "2026-01-01T00:00:00+99:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "call.ended", "agent.state", "call.",
)  # fmt: skip


def _byte_flipped(raw: bytes, dice: random.Random) -> bytes:
    out = bytearray(raw)
    for _ in range(dice.choice((1, 1, 2, 8))):
        out[dice.randrange(len(out))] ^= 1 << dice.randrange(8)
    return bytes(out)


def _cut(raw: bytes, dice: random.Random) -> bytes:
    first, last = sorted((dice.randrange(len(raw) + 1), dice.randrange(len(raw) + 1)))
    return raw[:first] + raw[last:] if dice.random() < 0.5 else raw[first:last]


def _inserted(raw: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(raw) + 1)
    part = dice.choice(
        (
            b"\x00",
            b"\xff",
            b"\\",
            b'"',
            b"{",
            b"}",
            b"[" * 2000,
            b",",
            b"\xef\xbb\xbf",
            b" ",
            b"\\ud800",
            b"1e999",
            raw[:at],
        )
    )
    return raw[:at] + part + raw[at:]


def _recoded(raw: bytes, dice: random.Random) -> bytes:
    match dice.randrange(5):
        case 0:
            return raw.decode().encode("utf-16")
        case 1:
            return b"\xef\xbb\xbf" + raw
        case 2:
            return raw.replace(b'"source":"', b'"source":"\xce\xd2')
        case 3:
            return raw + b"\n" + raw
        case _:
            return b"[" + raw + b"]"


def _not_even_json(raw: bytes, dice: random.Random) -> bytes | None:
    noise = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 200)))
    return dice.choice(
        (
            None,
            b"",
            b"hello",
            b"<event/>",
            b"a,b,c",
            b"null",
            b"0",
            b'"text"',
            b"[]",
            b"{}",
            noise,
            b"[" * 30_000,
            b'{"a":' * 5000,
        )
    )


def _field_lost(fields: Fields, dice: random.Random) -> None:
    del fields[dice.choice(list(fields))]


def _field_strange(fields: Fields, dice: random.Random) -> None:
    fields[dice.choice(list(fields))] = dice.choice(_STRANGE)


def _field_swapped(fields: Fields, dice: random.Random) -> None:
    one, other = dice.choice(list(fields)), dice.choice(list(fields))
    fields[one], fields[other] = fields[other], fields[one]


def _field_added(fields: Fields, dice: random.Random) -> None:
    value = "x" * dice.choice((70_000, _HUGE_BYTES)) if dice.random() < 0.02 else dice.choice(_STRANGE)
    fields[dice.choice(("note", "sequence", "score", "talk_seconds", "customer_id", "agent_id", "kind", "ends"))] = (
        value
    )


def _number_changed(fields: Fields, dice: random.Random) -> None:
    numbers = [name for name, value in fields.items() if isinstance(value, int | float)]
    name = dice.choice(numbers or ["id"])
    value = fields[name] if numbers else 1
    fields[name] = dice.choice((-value, value * 1e9, value + 0.1, str(value), 10**400, 1e-320))


def _time_changed(fields: Fields, dice: random.Random) -> None:
    fields["time"] = dice.choice(
        (
            "2190-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "soon",
            fields["time"][:-1],
            fields["time"][:10],
            1767225600,
        )
    )


_OF_BYTES = (_byte_flipped, _byte_flipped, _cut, _inserted, _recoded, _not_even_json)
_OF_FIELDS = (_field_lost, _field_strange, _field_strange, _field_swapped, _field_added, _number_changed, _time_changed)


def mutated(event: AnyEvent, dice: random.Random) -> bytes | None:
    """The event under an id of its own, changed in one of many ways."""
    fields = msgspec.json.decode(encode(event)) | {"id": f"{dice.getrandbits(64):016x}"}
    if dice.random() < 0.5:
        dice.choice(_OF_FIELDS)(fields, dice)
        return json.dumps(fields, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return dice.choice(_OF_BYTES)(msgspec.json.encode(fields), dice)


def _decoded(topic: str, value: bytes | None) -> AnyEvent | Rejected:
    return decode_presence(value) if topic == topics.AGENTS.name else decode_contact(value)


def _id_of(topic: str, value: bytes | None) -> str | None:
    """The id under which it counts; None: it is no event."""
    found = _decoded(topic, value)
    return None if isinstance(found, Rejected) else found.id


def mixture(good: Sequence[AnyEvent], count: int, seed: int) -> Iterator[Message]:
    """``count`` mutated messages among the good events, each of which comes once; every twentieth has a key that is not its own.

    No two are events of one id: which of them stands depends on which partition is read first, and that is no fault. Those of long ago
    come last: nothing is late before its partition has a clock, and what comes of a contact that has lain still for years depends on
    whether the worker has looked at it meanwhile.
    """
    dice = random.Random(seed)
    ids, last = {event.id for event in good}, list[Message]()
    for index, event in enumerate(good):
        for _ in range(count * (index + 1) // len(good) - count * index // len(good)):
            like = dice.choice(good)
            key = (
                like.key.encode() if dice.random() < 0.95 else dice.choice((None, b"", b"?", b"\xff\xfe", b"k" * 5000))
            )
            value = mutated(like, dice)
            while (id := _id_of(like.carrier, value)) in ids:
                value = mutated(like, dice)
            if id is not None:
                ids.add(id)
            message = Message(like.carrier, b"?" if value is None else key, value, True)
            if _of_long_ago(message, good[0]):
                last.append(message)
            else:
                yield message
        yield Message(event.carrier, event.key.encode(), encode(event), False)
    yield from last


def _of_long_ago(message: Message, first: AnyEvent) -> bool:
    found = _decoded(message.topic, message.value)
    return not isinstance(found, Rejected) and found.time < first.time - timedelta(days=1)


# -- what is to come of it -------------------------------------------------------------------------------------------------


@dataclass
class Expected:
    """What the pure path says of all messages. ``refused``: number → reason; ``unsure``: late or not, by the worker's clocks."""

    refused: dict[int, str] = field(default_factory=dict)
    unsure: set[int] = field(default_factory=set)
    disagreed: list[str] = field(default_factory=list)


def expected(sent: Sequence[Message], settings: Settings, began: int, ended: int) -> Expected:
    """``began``, ``ended``: machine clock (ms) when the first was sent and when the last was read."""
    out = Expected()
    lateness = timedelta(days=settings.policy.allowed_lateness_days)
    ahead = timedelta(minutes=10)
    for number, message in enumerate(sent):
        found = _decoded(message.topic, message.value)
        if isinstance(found, Rejected):
            out.refused[number] = found.reason
            continue
        try:
            plain = json.loads((message.value or b"").decode(errors="replace"))
        except (ValueError, RecursionError):
            plain = None
        if not isinstance(plain, dict):
            out.disagreed.append(f"{(message.value or b'')[:80]!r} is an event, and no object of JSON")
        if found.at < settings.policy.earliest_ms:
            out.refused[number] = "bad_time"
        elif found.time > instant(ended) + ahead:
            out.refused[number] = "future"
        elif found.time > instant(began):
            out.unsure.add(number)
        elif found.time < instant(began) - lateness - _UNSURE:
            out.refused[number] = "too_late"
        elif found.time < instant(ended) - lateness + _UNSURE:
            out.unsure.add(number)
    return out


@dataclass
class Told:
    """What a run came to. ``memory``: of the worker, in MB, at each tenth of the messages. ``wrong``: differences in words."""

    mutated: int = 0
    good: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    seconds: float = 0.0
    memory: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def _resident(process: ServerProcess) -> float:
    """Memory of a process in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def fuzzed(settings: Settings, count: int, good: int, seed: int, say: Callable[[str], None] = lambda _: None) -> Told:
    """Send it all to a worker of its own on this operation, whose topics are new, and compare."""
    start, told = machine_ms(), Told(mutated=count, good=good)
    since = instant(start) - timedelta(hours=_DESK_HOURS)
    agents = max(12, good // 100)
    desk = [event for event in islice(simulate(seed, since, agents=agents), good) if event.time < instant(start)]
    told.good = len(desk)
    sent = list(mixture(desk, count, seed))
    ensure_topics(settings)
    port = free_port()
    began, first = time.monotonic(), machine_ms()
    with program(settings, "worker", "worker", "--metrics-port", str(port)) as process:
        answers(f"http://127.0.0.1:{port}/metrics", process)
        options = kafka_python_options(settings) | {
            "acks": "all",
            "compression_type": "gzip",
            "max_request_size": 4 * _HUGE_BYTES,
        }
        with closing(KafkaProducer(**options)) as producer:
            for place, message in enumerate(sent):
                producer.send(
                    settings.prefix + message.topic,
                    key=message.key,
                    value=message.value,
                    headers=[("number", b"%d" % place)],
                )
                if (place + 1) % (len(sent) // 10) == 0:
                    producer.flush()
                    wait_until_processed(settings, _SETTLED_SECONDS)
                    told.memory.append(_resident(process))
                    say(f"{time.monotonic() - began:6.1f} s  {place + 1:,} of {len(sent):,}, {told.memory[-1]:.0f} MB")
        wait_until_processed(settings, _SETTLED_SECONDS)
        told.seconds = time.monotonic() - began
        state = answers(f"http://127.0.0.1:{port}/readyz", process).json()["state"]
        if state != "working":
            told.wrong.append(f"the worker says {state}")
        counted = metric(f"http://127.0.0.1:{port}/metrics", "deskpulse_events_rejected_total")
    _compare(settings, sent, expected(sent, settings, first, machine_ms()), counted, told)
    return told


def _compare(settings: Settings, sent: Sequence[Message], wanted: Expected, counted: float, told: Told) -> None:
    told.wrong += wanted.disagreed[:5]
    letters: dict[int, tuple[str, bytes]] = {}
    places = {(record.topic, record.partition, record.offset): record for record in _all(settings)}
    # Nothing is late before its partition has a clock.
    clocks = {
        (record.topic, record.partition): number
        for record in reversed(places.values())
        if not sent[number := _number(record)].mutated
    }
    wanted.unsure |= {
        number for record in places.values()
        if wanted.refused.get(number := _number(record)) == "too_late" and number < clocks.get((record.topic, record.partition), len(sent))
    }  # fmt: skip
    for letter in messages(settings, topics.DEAD_LETTERS.name):
        headers = {name: value.decode() for name, value in letter.headers}
        origin = places[headers["topic"], int(headers["partition"]), int(headers["offset"])]
        number = _number(origin)
        if number in letters:
            told.wrong.append(f"message {number} is refused twice")
        letters[number] = (headers["reason"], letter.value)
        value = sent[number].value
        if (letter.value or b"") != (value or b"")[:HEAD_BYTES]:
            told.wrong.append(f"the dead letter of message {number} has another value")
    if counted != len(letters):
        told.wrong.append(f"{len(letters)} dead letters, and the metric says {counted:.0f}")
    told.reasons = Counter(reason for reason, _ in letters.values())
    for number, (reason, value) in letters.items():
        if number in wanted.unsure:
            if reason not in ("too_late", "future"):
                told.wrong.append(f"message {number} is refused as {reason}: {(value or b'')[:200]!r}")
        elif wanted.refused.get(number) != reason:
            told.wrong.append(
                f"message {number} is refused as {reason}, not {wanted.refused.get(number)}: {(value or b'')[:200]!r}"
            )
    if missing := sorted(set(wanted.refused) - set(letters) - wanted.unsure):
        told.wrong.append(f"{len(missing)} bad messages are no dead letters, first {sent[missing[0]]}")
    if good := [number for number in letters if not sent[number].mutated]:
        told.wrong.append(f"{len(good)} good messages are refused, first {sent[good[0]]}: {letters[good[0]]}")
    taken = [number for number in range(len(sent)) if number not in letters]
    told.accepted = sum(sent[number].mutated for number in taken)
    taken.sort(key=lambda number: number not in wanted.unsure)  # those that may be old first, when nothing is late
    plain = run([sent[number].value for number in taken], settings.policy)
    if plain.rejected:
        told.wrong.append(
            f"the pure path refuses {len(plain.rejected)} that the worker took, first {plain.rejected[0]}"
        )
    undisturbed = {fact.key: fact.sums for fact in plain.daily_facts() if fact.sums}
    if found := differences(whole_days(undisturbed), whole_days(facts(settings))):
        told.wrong.append(f"daily facts: {found}")


def _number(record: Any) -> int:
    return int(dict(record.headers)["number"])


def _all(settings: Settings) -> Iterator[Any]:
    for topic in (*topics.CONTACT_TOPICS, topics.AGENTS):
        yield from messages(settings, topic.name)


def main(
    count: Annotated[int, typer.Option("--messages", help="Mutated messages")] = 300_000,
    good: Annotated[int, typer.Option(help="Good events, at most, among them")] = 60_000,
    seed: Annotated[int, typer.Option(help="Of the desk and of what goes wrong")] = 1,
    partitions: int = 4,
) -> None:
    """Send mutated messages through a Kafka of its own and compare what comes of them with the pure path."""
    directory = Path(mkdtemp(prefix="fuzz-"))
    with LocalKafka(directory / "kafka") as kafka, LocalRedis(directory / "redis") as redis:
        settings = Settings(
            broker=kafka.address, redis=redis.address, prefix="z.", partitions=partitions, clock="event",
            data_dir=directory, policy_file=policy_file(directory, time_zone="UTC"),
        )  # fmt: skip
        told = fuzzed(settings, count, good, seed, typer.echo)
    typer.echo(
        f"{told.mutated:,} mutated, {told.accepted:,} of them still events; {told.good:,} good; {told.seconds:.0f} s"
    )
    typer.echo(f"refused: {dict(told.reasons.most_common())}")
    typer.echo(f"memory of the worker, MB: {[round(one) for one in told.memory]}")
    for line in told.wrong[:20]:
        typer.echo(f"WRONG {line}")
    typer.echo(
        f"{len(told.wrong)} differences"
        if told.wrong
        else "every good one counted, every bad one a dead letter for its reason"
    )
    raise typer.Exit(1 if told.wrong else 0)


if __name__ == "__main__":
    typer.run(main)
