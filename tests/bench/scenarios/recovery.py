"""From a crash to work: how long a new worker takes until it takes events again, and until a screen shows it."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any

from redis import Redis

from streams.contracts.topics import CALLS
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.worker.state.restore import STATE
from tests.bench.scenarios.desks import copies_for, desk, side_by_side
from tests.bench.scenarios.growth import DAY
from tests.bench.scenarios.probe import is_shown, probe
from tests.bench.scenarios.running import Offsets, Worker, bytes_of, operation
from tests.bench.setting import BROKER_CORE, Bench, feed, on_core

#: How many agents; is it the same worker that is started again, or another that takes over?
_RUNS, _QUICK_RUNS = ((1_000, False), (1_000, True), (100_000, False), (100_000, True)), ((10_000, True),)
_WITHIN_SECONDS = 1200.0
#: What a worker's log says, in order: the group has given it its partitions; its tables are as they were.
_JOINED, _RECOVERED = "Setting newly assigned partitions", "took up "
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")


def recovery(bench: Bench) -> list[dict[str, Any]]:
    """A row a run: agents, worker (``again``: started again under its own name; ``another`` takes over), entities, customers, and seconds from the start of the new process, after ``kill -9`` of the old one, until …

    ``seconds_started``: it serves its metrics; ``seconds_joined``: it has its partitions; ``seconds_recovered``: its state is read;
    ``seconds_to_input``: an event that waited for it is taken in; ``seconds_to_screen``: Redis shows it. None: its log did not say.
    The group misses a worker that was killed only after its session's 10 s, but has back at once one of the same name
    (``DESKPULSE_INSTANCE``). ``changelog_records`` and ``changelog_mb`` are what there is to be read, ``entities_per_second`` is by
    the seconds to input.
    """
    return [_recover(bench, agents, again=again) for agents, again in (_QUICK_RUNS if bench.quick else _RUNS)]


def _recover(bench: Bench, agents: int, *, again: bool) -> dict[str, Any]:
    with operation(bench, f"recovery-{agents}", "event") as settings, on_core(BROKER_CORE):
        if again:
            settings = settings.model_copy(update={"instance": "bench"})
        part = desk(DAY, 1)
        bench.say(f"recovery: the morning of {agents:,} agents")
        fed = feed(bench, settings.topic(CALLS), side_by_side(part.beginning, copies_for(agents)))
        with Worker(settings, "before") as before:
            before.until_taken(fed, _WITHIN_SECONDS)
            before.until_committed(settings, _WITHIN_SECONDS)
            held = before.sample_at_rest()
            records, size = _changelogs(settings)
            after = Worker(settings, "after")
            before.kill()
        began, began_ms = monotonic(), machine_ms()
        after.launch()
        try:
            feed(bench, settings.topic(CALLS), [probe("after", part.steady[-1].at + 120_000)])
            after.until("the new worker's metrics", _WITHIN_SECONDS, after.answers)
            started = monotonic() - began
            after.until_taken(1, _WITHIN_SECONDS)
            taken = monotonic() - began
            with closing(Redis.from_url(settings.redis, socket_timeout=10)) as redis:
                after.until("the new event on screens", _WITHIN_SECONDS, partial(is_shown, redis, settings, "after"))
            shown = monotonic() - began
            said = after.log.read_text(encoding="utf-8", errors="replace")
        finally:
            after.stop()
    row = {
        "agents": agents,
        "worker": "again" if again else "another",
        "entities": held.entities,
        "customers": held.customers,
        "seconds_started": round(started, 2),
        "seconds_joined": _said(said, _JOINED, began_ms),
        "seconds_recovered": _said(said, _RECOVERED, began_ms),
        "seconds_to_input": round(taken, 2),
        "seconds_to_screen": round(shown, 2),
        "entities_per_second": round(held.entities / taken),
        "changelog_records": records,
        "changelog_mb": round(size / 2**20, 1),
    }
    bench.say(f"recovery, {held.entities:,} entities: {taken:.1f} s to input, {shown:.1f} s to the screen")
    return row


def _changelogs(settings: Settings) -> tuple[int, int]:
    """Records and bytes of all topics from which state is read."""
    sizes = {name: size for name, size in bytes_of(settings).items() if _is_changelog(settings, name)}
    with closing(Offsets(settings)) as offsets:
        return sum(offsets.records(name) for name in sizes), sum(sizes.values())


def _is_changelog(settings: Settings, name: str) -> bool:
    return name in {settings.topic(topic) for topic in STATE}


def _said(log: str, what: str, began_ms: int) -> float | None:
    """Seconds from the start until the log said something for the last time; None: it did not."""
    for line in reversed(log.splitlines()):
        if what in line and (found := _MOMENT.search(line)):
            at = datetime.strptime(found.group(), "%Y-%m-%d %H:%M:%S,%f").astimezone(UTC)
            return round(at.timestamp() - began_ms / 1000, 2)
    return None
