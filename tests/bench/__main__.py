"""``make bench``: throughput of all contenders, then latency, growth, recovery, memory and records of our worker; one command, one table."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from deploy.local.kafka import LocalKafka
from deploy.local.redis import LocalRedis
from tests.bench import jvm, report, scenarios, throughput
from tests.bench.events import contact_events, fed_topics
from tests.bench.kernel import kernel
from tests.bench.machine import machine
from tests.bench.setting import BROKER_CORE, Bench, Contender, pinned

PARTS = ("kernel", "throughput", "latency", "growth", "recovery", "memory", "records")
_OUT = Path("var/bench")
#: Events on each topic , shortest first; rounds at most; seconds that all rounds may take.
_QUICK, _FULL = (
    ((3_000, 8_000, 120_000), 3, 75.0),
    ((10_000, 40_000, 400_000), 3, 1200.0),
)


def throughput_part(bench: Bench) -> dict[str, Any]:
    """The rounds, each run held to the sums of its job."""
    sizes, most, seconds = _QUICK if bench.quick else _FULL
    bench.say(f"throughput: writing {sum(sizes):,} events")
    topics = fed_topics(bench, contact_events(max(sizes)), sizes)
    contenders = [*throughput.CONTENDERS, *_only_in_full(bench)]
    runs, failed = throughput.rounds(bench, contenders, topics, most, seconds)
    rows = throughput.table(contenders, runs)
    bench.highest_rate = next((row["events_per_second"] for row in rows if row["contender"] == "ours"), None)
    return {"throughput": rows, "failed": failed}


def _only_in_full(bench: Bench) -> list[Contender]:
    if bench.quick:
        bench.say(
            "  left out: Kafka Streams and Flink SQL, for which Maven fetches 220 MB, and our compiled build, a minute's work; "
            "make bench without QUICK=1 has them"
        )
        return []
    return [*throughput.compiled_worker(bench), *jvm.contenders(bench.say)]


def kernel_part(bench: Bench) -> dict[str, Any]:
    """The kernel by itself."""
    raws = [raw for _, raw in contact_events(15_000 if bench.quick else 60_000)]
    return {"kernel": kernel(raws, 3 if bench.quick else 5, bench.say)}


def _scenario(name: str) -> Callable[[Bench], dict[str, Any]]:
    measure = getattr(scenarios, name)
    return lambda bench: {name: measure(bench)}


def main() -> None:
    """Measure what was asked for, print it and write it down."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events and rounds: within 5 minutes")
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; may be given several times")
    parser.add_argument("--out", type=Path, default=_OUT, help=f"where results go (default {_OUT})")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="also as tests/bench/results.json, its table in tests/bench/README.md, and its chart",
    )
    options = parser.parse_args()
    parts: list[str] = [part for part in PARTS if part in (options.only or PARTS)]
    began = perf_counter()
    results: dict[str, Any] = {"quick": options.quick, "machine": machine()}
    complete = True
    scratch = Path(tempfile.mkdtemp(prefix="deskpulse-bench-"))
    pinned(BROKER_CORE)()  # the brokers inherit it; contenders are given their own
    try:
        with LocalKafka(scratch / "kafka") as kafka, LocalRedis(scratch / "redis") as redis:
            bench = Bench(options.quick, kafka.address, redis.address, scratch)
            measures = {"kernel": kernel_part, "throughput": throughput_part} | {
                name: _scenario(name) for name in PARTS[2:]
            }
            for part in parts:
                bench.say(f"{part} ({perf_counter() - began:.0f} s so far)")
                try:
                    results |= measures[part](bench)
                except throughput.DifferenceError as error:
                    sys.exit(f"The contenders do not do the same: {error}")
                except Exception as error:  # one part's failure must not cost the others' figures
                    complete = False
                    results.setdefault("broken", {})[part] = f"{type(error).__name__}: {error}"
                    bench.say(f"{part}: FAILED: {type(error).__name__}: {error}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    results["seconds"] = round(perf_counter() - began)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(
        json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    report.chart(results, options.out)
    print(report.text(results))
    if options.publish:
        report.publish(results, options.out)
    sys.exit(0 if complete else 1)


if __name__ == "__main__":
    main()
