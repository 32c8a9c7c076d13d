"""A real month through everything: its table → `deskpulse replay` → Kafka → a worker → `deskpulse history` → PostgreSQL; then by SQL alone.

``make proof`` runs it, on brokers and a database of its own, and says what was compared; it ends with an error where anything differs.
The short form of it, without services, is ``test_real_months_in_sql``.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.postgres import LocalPostgres
from deploy.local.redis import LocalRedis
from streams.contracts import topics
from streams.history.behind import unread
from streams.history.store import History, open_history
from streams.kafka.drained import wait_until_processed
from streams.kafka.topics import ensure_topics
from streams.operation import KafkaOperation
from streams.settings import Settings
from tests.acceptance.test_real_months_in_sql import check, from_sql
from tests.support.histories import query
from tests.support.operation import answers, policy_file, program, run_cli
from tests.support.real_months import EVERY_ID, MAPPINGS, compare_with_reference, reference_rows

#: On a busy machine much is waited for.
_WAIT_SECONDS = 14_400.0
#: What workers write of a table of calls.
_READ = (topics.CONTACT_RECORDS, topics.PRESENCE_RECORDS, topics.DAILY_FACTS)


def _caught_up(settings: Settings, history: History) -> None:
    """Wait until the history has read all there is, and has looked at the operation's clock since: quarter hours after it are not shown.

    Its health page says how it was before the batch that it is writing.
    """
    deadline, clock = time.monotonic() + _WAIT_SECONDS, KafkaOperation(settings).clock()
    while query(history, "SELECT now FROM history_clock") < [(clock,)] or unread(settings, history, *_READ):
        if time.monotonic() > deadline:
            raise AssertionError(f"the history has not read everything in {_WAIT_SECONDS:g} s")
        time.sleep(1.0)


def main(folder: Path) -> None:
    """Run it, and say what came of it."""
    began = time.monotonic()

    def say(line: object) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    # Not where root keeps to itself: PostgreSQL runs as another account.
    with ExitStack() as opened:
        place = Path(opened.enter_context(TemporaryDirectory(prefix="proof-", ignore_cleanup_errors=True)))
        data = Path(mkdtemp(prefix="postgres-", dir=place))
        place.chmod(0o755)
        kafka, redis, postgres = LocalKafka(place / "kafka"), LocalRedis(place / "redis"), LocalPostgres(data)
        for server in (kafka, redis, postgres):
            type(server).ready_within_seconds = _WAIT_SECONDS
            server.start()
            opened.callback(server.stop)
        settings = Settings(
            broker=kafka.address, redis=redis.address, history=postgres.address, prefix="proof.", partitions=4, data_dir=place, clock="event",
            policy_file=policy_file(place, max_customer_contacts_per_day=EVERY_ID),
        )  # fmt: skip
        ensure_topics(settings)
        for name in ("worker", "history"):
            port = free_port()
            address = f"http://127.0.0.1:{port}"
            process = opened.enter_context(program(settings, name, name, "--metrics-port", str(port)))
            answers(f"{address}/healthz", process, _WAIT_SECONDS)
        say("a worker and a history run; the table is sent")
        (table,) = folder.glob("calls.csv*")
        mapping = str(MAPPINGS / f"{folder.name}.yaml")
        sent = run_cli(
            settings,
            "replay",
            str(table),
            "-m",
            mapping,
            "--rejects",
            str(place / "rejects.csv"),
            "--wait",
            f"{_WAIT_SECONDS:g}",
        )
        say(sent.strip().splitlines()[-1])
        wait_until_processed(settings, _WAIT_SECONDS)
        say("the worker has taken in everything")
        history = opened.enter_context(open_history(postgres.address, place, settings.policy))
        _caught_up(settings, history)
        say("the history has, too")
        for what, found in check(history, folder, "9999", 1000):
            say(f"{what}: {found}")
        say(
            f"rows of the references with agents' totals: {compare_with_reference(from_sql(history), folder)} of {reference_rows(folder)}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
