"""Throughput: every contender on the same topic of the same Kafka, in interleaved rounds."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.bench.setting import CONTENDER_CORE, Bench, Contender, pinned
from tests.support.compiled import compiled

_ROOT = Path(__file__).resolve().parents[2]
#: What starting, joining the group and ending may take, beside the work. Seconds.
_OVERHEAD_SECONDS = 45.0

#: In the order in which they run.
CONTENDERS = tuple(
    Contender(name, label, jobs, (sys.executable, "-P", "-m", f"tests.bench.contenders.{name}"))
    for name, label, jobs in (
        ("aiokafka", "aiokafka", ("read", "decode")),
        ("librdkafka", "librdkafka (confluent-kafka)", ("read", "decode")),
        ("faust", "stock Faust agent", ("sums", "whole")),
        ("quix", "Quix Streams", ("sums", "whole")),
        ("bytewax", "Bytewax", ("sums", "whole")),
        ("ours", "Deskpulse worker", ("whole",)),
    )
)


def compiled_worker(bench: Bench) -> list[Contender]:
    """Our worker once more, in the compiled build; none, with the reason told, where it cannot be made."""
    bench.say("  compiling the kernel")
    try:
        site = compiled(bench.scratch / "compiled")
    except RuntimeError as error:
        bench.say(f"  the compiled build is left out: {error}")
        return []
    ours = next(contender for contender in CONTENDERS if contender.name == "ours")
    return [replace(ours, name="compiled", label=f"{ours.label}, compiled", site=site)]


#: Who gets a shorter topic, by its place among the topics: the longest would take many minutes.
_SHORTER = {("faust", "sums"): 0, ("faust", "whole"): 0, ("quix", "whole"): 1, ("bytewax", "whole"): 1}
#: No run is to take longer, in a quick run of the bench and in a full one.
_LONGEST_SECONDS = {True: 40.0, False: 180.0}


@dataclass(frozen=True)
class Fed:
    """A topic and how many events are on it: all of them are to be done. ``sums``: job → what its checksum must be."""

    name: str
    events: int
    sums: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Run:
    """What a contender answered. ``seconds`` and ``cpu_seconds`` from its first event to its last."""

    contender: str
    version: str
    job: str
    events: int
    seconds: float
    cpu_seconds: float
    max_rss_mb: float
    checksum: Mapping[str, float] | None
    #: Where a contender tells it: its rate without what a long run would not have (the JVM's compiling, our last commit).
    steady_events_per_second: float | None = None

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU an event."""
        return self.cpu_seconds / self.events * 1e6


class ContenderError(RuntimeError):
    """A contender gave no answer; the message has its last words."""


class DifferenceError(RuntimeError):
    """A contender came to other figures than its job's."""


def once(bench: Bench, contender: Contender, job: str, topic: Fed, seconds: float) -> Run:
    """One run of one contender on the contenders' core. Raises ContenderError where it gives no answer."""
    scratch = bench.scratch / "contenders"
    scratch.mkdir(parents=True, exist_ok=True)
    command = [
        *contender.command, "--job", job, "--broker", bench.broker, "--topic", topic.name, "--events", str(topic.events), "--seconds", f"{seconds:g}",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix=f"{contender.name}-", dir=scratch, ignore_cleanup_errors=True) as own:
        path = os.pathsep.join(str(path) for path in (contender.site, _ROOT) if path)
        environment = os.environ | {"PYTHONPATH": path, "DESKPULSE_REDIS": bench.redis, "TMPDIR": own}
        try:
            ran = subprocess.run(
                command, cwd=_ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                timeout=seconds + _OVERHEAD_SECONDS, preexec_fn=pinned(CONTENDER_CORE),
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            said = late.stderr.decode(errors="replace") if isinstance(late.stderr, bytes) else ""
            raise ContenderError(f"no answer within {seconds + _OVERHEAD_SECONDS:g} s. {_end(said)}") from late
    # Faust hides the terminal's cursor on its way.
    lines = [line[line.index("{") :] for line in ran.stdout.splitlines() if "{" in line]
    line = lines[-1] if lines else None
    if ran.returncode != 0 or line is None:
        raise ContenderError(f"ended with exit code {ran.returncode} and no answer. {_end(ran.stderr)}")
    try:
        run = Run(**json.loads(line))
    except (TypeError, ValueError) as error:
        raise ContenderError(f"answered {line!r}: {error}") from error
    if run.events < topic.events:
        raise ContenderError(
            f"did {run.events:,} of {topic.events:,} events in {run.seconds:.0f} s. {_end(ran.stderr)}"
        )
    return run


def _end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-12:])


def pairs(contenders: Sequence[Contender]) -> Iterator[tuple[Contender, str]]:
    """Every contender with every job of its own."""
    for contender in contenders:
        for job in contender.jobs:
            yield contender, job


def hold(run: Run, topic: Fed) -> None:
    """Hold a run to the sums that its job must come to. Raises DifferenceError with both figures."""
    expected = topic.sums.get(run.job)
    if expected is None:
        return
    if difference := differences(expected, run.checksum or {}):
        raise DifferenceError(
            f"{run.contender}, job {run.job!r} on {topic.events:,} events, against the plain function:\n"
            + "\n".join(f"  {name}: {found!r}, must be {due!r}" for name, due, found in difference)
        )


def differences(one: Mapping[str, float], other: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """(name, one, other) of figures that differ; absent is 0, and floats may differ by their last places."""
    names = sorted(one.keys() | other.keys())
    both = [(name, one.get(name, 0), other.get(name, 0)) for name in names]
    return [(name, a, b) for name, a, b in both if not isclose(a, b, rel_tol=1e-9, abs_tol=1e-3)]


def rounds(
    bench: Bench, contenders: Sequence[Contender], topics: Sequence[Fed], most: int, within_seconds: float
) -> tuple[list[Run], list[dict[str, str]]]:
    """Interleaved rounds: every contender with every job, then all of them again; the runs, and who failed why.

    ``topics``: shortest first. No round after the first is begun when it would probably end later than ``within_seconds`` from now. Who has
    failed is not asked again. Raises DifferenceError where a run has not done what its job is.
    """
    runs: list[Run] = []
    failed: dict[tuple[str, str], str] = {}
    began = perf_counter()
    for number in range(1, most + 1):
        for contender, job in pairs(contenders):
            if (contender.name, job) in failed:
                continue
            topic = topics[_SHORTER.get((contender.name, job), len(topics) - 1)]
            try:
                run = once(bench, contender, job, topic, _LONGEST_SECONDS[bench.quick])
            except ContenderError as error:
                failed[contender.name, job] = str(error)
                bench.say(f"  round {number}: {contender.name} {job}: FAILED: {error}")
                continue
            hold(run, topic)
            runs.append(run)
            bench.say(
                f"  round {number}: {contender.name:13} {job:6} {run.rate:>9,.0f} events/s "
                f"{run.cpu_us:>8.1f} µs CPU an event  ({run.events:,} in {run.seconds:.1f} s)"
            )
        if (perf_counter() - began) * (number + 1) / number > within_seconds:
            break
    return runs, [{"contender": name, "job": job, "reason": reason} for (name, job), reason in failed.items()]


def _median(values: Sequence[float | None]) -> int | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known)) if known else None


#: Column → the (contender, job) that its ratio is to.
REFERENCES = {
    "times_aiokafka": ("aiokafka", "read"),
    "times_decode": ("aiokafka", "decode"),
    "times_faust": ("faust", None),
    "times_quix": ("quix", None),
}


def table(contenders: Sequence[Contender], runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row per contender and job: medians over the rounds, and events/s as a multiple of the references' (None: the reference did not run).

    A multiple is the median of those of each round: machines change their speed from one round to the next, and both have run in
    the same. Faust and Quix are references of the same job; to them, reading and decoding have no ratio.
    """
    rows: list[dict[str, Any]] = []
    by_round: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        by_round.setdefault((run.contender, run.job), []).append(run)
    for contender, job in pairs(contenders):
        if own := by_round.get((contender.name, job)):
            references = {column: by_round.get((name, of or job), []) for column, (name, of) in REFERENCES.items()}
            rows.append(
                {
                    "contender": contender.name,
                    "label": contender.label,
                    "version": own[0].version,
                    "job": job,
                    "rounds": len(own),
                    "events": max(run.events for run in own),
                    "events_per_second": round(statistics.median(run.rate for run in own)),
                    "cpu_microseconds_per_event": round(statistics.median(run.cpu_us for run in own), 2),
                    "steady_events_per_second": _median([run.steady_events_per_second for run in own]),
                    "max_rss_mb": round(statistics.median(run.max_rss_mb for run in own)),
                    **{column: _times(own, reference) for column, reference in references.items()},
                }
            )
    return rows


def _times(own: Sequence[Run], reference: Sequence[Run]) -> float | None:
    # Who fails is not asked again: the first run of each is of the first round.
    ratios = [one.rate / other.rate for one, other in zip(own, reference, strict=False)]
    return round(statistics.median(ratios), 4) if ratios else None
