"""What the commands of all systems that are followed have in common."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer

from streams import bounded_yaml
from streams.health_pages import serve
from streams.kafka.topics import ensure_topics
from streams.languages.translation import tell
from streams.settings import Settings
from streams.sources.live.health import Health
from streams.sources.live.place import Sender
from streams.sources.producer import EventProducer
from streams.system_clock import machine_ms

File = Annotated[
    Path, typer.Argument(metavar="FILE.yaml", help="The source's file; `deskpulse source example` writes one")
]
MetricsPort = Annotated[
    int,
    typer.Option(
        "--metrics-port", min=0, max=65_535, help="Port of /metrics for Prometheus, /healthz and /readyz; 0: none"
    ),
]
#: For how long an event may wait for Kafka before the follower begins again at what it has stored. Seconds.
PATIENCE_SECONDS = 60.0
#: Lines, names and contacts that are shown at most.
SHOWN = 20


def system_of(file: Path) -> str:
    """Which system a source's file is of: its ``system``; that of a topic or a database has a key of this name, and an Asterisk's need not
    say. Raises ValueError where it cannot be read.
    """
    content = bounded_yaml.load_named(file, "the source's file")
    if not isinstance(content, dict):
        return "asterisk"
    return next((kind for kind in ("topic", "database") if kind in content), str(content.get("system", "asterisk")))


def connecting(settings: Settings, advice: str) -> Callable[[], Sender]:
    """Opens a producer on topics that are there. ``advice``: what becomes of events that Kafka does not acknowledge."""

    def connect() -> Sender:
        ensure_topics(settings)
        return EventProducer(settings, PATIENCE_SECONDS, advice=advice)

    return connect


def earliest_of(settings: Settings) -> Callable[[], int | None]:
    """What lies before is left out, as of now (ms since 1970); on the event clock past days are as good as any."""
    if settings.clock == "event":
        return lambda: None
    return lambda: machine_ms() - settings.policy.allowed_lateness_ms


def first_of(settings: Settings) -> int:
    """At the very first start, what lies before is not sent: ms since 1970."""
    return earliest_of(settings)() or 0


def run_follower(run: Callable[[Event], None], pages: Health, metrics_port: int, metrics_host: str) -> None:
    """Serve metrics and ``pages``, where there is a port, and follow (``run``) until SIGINT or SIGTERM."""
    if metrics_port:
        serve(metrics_port, pages, metrics_host)
    with until_signal() as ended:
        run(ended)


def tell_unmapped(names: Mapping[str, Counter[str]]) -> None:
    """Names of agents and queues that the file lacks, as lines for it."""
    if any(names.values()):
        tell("without a name in the file, and told as they are; put yours behind the colon:")
    for what, unknown in names.items():
        if unknown:
            typer.echo(f"{what}:")
        for name, count in unknown.most_common():
            typer.echo(f"  {name}: {name}  # {count:,}")


@contextmanager
def until_signal() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set: what has been sent is stored before it ends."""
    ended = Event()

    def end(*_: Any) -> None:
        ended.set()

    before = [(number, signal.signal(number, end)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield ended
    finally:
        for number, handler in before:
            signal.signal(number, handler)
