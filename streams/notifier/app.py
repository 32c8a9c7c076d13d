"""The notifier as a process: one thread follows the topic, one tells each channel, the server runs in the main one."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event, Lock, Thread
from typing import Any, NoReturn
from urllib.parse import urlsplit

from streams import doors
from streams.database import StoreError
from streams.notifier import build, metrics
from streams.notifier.actions import Actions
from streams.notifier.bridge import Bridge
from streams.notifier.case_pages import CaseDesk
from streams.notifier.cases import CaseKeeper
from streams.notifier.channels.alertmanager import AGAIN_SECONDS, Alertmanager
from streams.notifier.closing import close
from streams.notifier.config import Config
from streams.notifier.digests import Digests
from streams.notifier.dispatch import Dispatcher
from streams.notifier.follow import Follower
from streams.notifier.gathering import Bounds, Gathered
from streams.notifier.health import Health
from streams.notifier.journal import Journal, open_journal
from streams.notifier.journal_rows import Body
from streams.notifier.links import Links, contacts_behind
from streams.notifier.month_end import MonthEnds
from streams.notifier.notice_texts import NoticeWriter
from streams.notifier.planning import Planner
from streams.notifier.records import RecordFollower
from streams.notifier.server import Pages, create_app
from streams.notifier.texts import Directory, Writer
from streams.operator_files import load_rules
from streams.people.duties import duty_book
from streams.people.duty import DutyBook
from streams.people.names import Names
from streams.people.store import unit_names
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: So long it may be that a name or a duty that was changed is not known here. Milliseconds.
_KNOWN_MS = 30_000
#: For a try that has begun when the notifier is to end. Seconds; the worst ones are cut off, and sent again as what may be copies.
_END_SECONDS = 20.0


@dataclass(frozen=True)
class Address:
    """Where the notifier's own server listens."""

    host: str
    port: int


class People:
    """Names, addresses and duties, read anew every now and then."""

    def __init__(self, settings: Settings, clock: Callable[[], int]) -> None:
        self._settings, self._clock = settings, clock
        self._lock = Lock()
        self._read = -_KNOWN_MS
        self._duties = DutyBook(settings.policy.zone)
        self._directory = Directory()

    @property
    def duties(self) -> DutyBook:
        """The duty roster. What cannot be read leaves what was known."""
        self._look()
        return self._duties

    @property
    def directory(self) -> Directory:
        """Who is who."""
        self._look()
        return self._directory

    @property
    def names(self) -> Names:
        """Names alone."""
        return self.directory.names

    def _look(self) -> None:
        with self._lock:
            now = self._clock()
            if now - self._read < _KNOWN_MS:
                return
            self._read = now
            here = self._settings
            try:
                book = duty_book(here.database, here.data_dir, here.policy.zone)
                units = unit_names(here.database, here.data_dir)
            except StoreError as error:
                _LOG.warning("names and duties are as they were known before: %s", error)
                return
            self._duties, self._directory = book, Directory(book.people, Names(book.people.values()), units)


def run(
    settings: Settings,
    config: Config,
    address: Address,
    environment: Mapping[str, str],
    send_event_clock: bool = False,
    clock: Callable[[], int] = machine_ms,
) -> None:
    """Run until SIGINT or SIGTERM. Raises ValueError where a secret is not there, or the port is taken."""
    channels, links = build.channels(config, environment), build.links(config, environment)
    rules = {rule.id: rule for rule in load_rules(settings.rules_file)}
    by_wall_clock = settings.clock == "wall"
    sends = by_wall_clock or send_event_clock
    people = People(settings, clock)
    with ExitStack() as stack:
        for channel in channels.values():
            stack.callback(channel.close)
        journal = stack.enter_context(open_journal(settings.database, settings.data_dir))
        actions = Actions(settings)
        stack.callback(actions.close)
        compose = composer(settings, config, people, links, {id: rule.kpi for id, rule in rules.items()}, clock)
        dispatchers = {
            name: Dispatcher(name, channel, journal, bounds(config, name), compose, clock)
            for name, channel in channels.items()
        }

        def planner(first: bool) -> Planner:
            now = instant(clock())
            return Planner(
                config, people.duties, now, sends, by_wall_clock, first, lambda why: metrics.STEPS.labels(why).inc()
            )

        def wake() -> None:
            for dispatcher in dispatchers.values():
                dispatcher.wake()

        keeper = case_keeper(settings, config, journal, people, sends, by_wall_clock)
        digests = Digests(settings, config, journal, lambda: people.duties, sends)
        explain = actions.send if sends and by_wall_clock else None
        ends = None if config.month_end is None else MonthEnds(
            settings, config, config.month_end, journal, lambda: people.duties,
            partial(close, settings, config.month_end, variables=environment), wake, clock,
        )  # fmt: skip
        health = Health(lambda: standings(dispatchers), sends=sends)
        records = RecordFollower(settings, keeper, (digests,), wake, explain, clock, health.cases)
        follower = Follower(settings, journal, planner, wake, health.incidents, clock, keeper)
        behind = partial(contacts_behind, settings.web_url, settings.policy)
        bridges = [
            Bridge(name, channel, journal, actions.write, config.language, config.wallboard, behind)
            for name, channel in channels.items()
            if isinstance(channel, Alertmanager)
        ]
        work: list[Callable[[Event], None]] = [
            follower.run,
            records.run,
            *(dispatcher.run for dispatcher in dispatchers.values()),
        ]
        if sends:
            work += [] if ends is None else [ends.run]
            work += [_keeping(bridge, clock) for bridge in bridges]
        else:
            _LOG.warning(
                "this operation runs on the event clock: nothing is sent, unless --send-on-event-clock is given"
            )
        pages = Pages(links, journal, actions.write, lambda: people.names, clock)
        stack.enter_context(_running(work, wake))
        desk = None if keeper is None else CaseDesk(settings, journal, lambda: people.names, clock)
        app = doors.KnownHosts(create_app(pages, health, desk), (address.host, *_hosts(config, environment)))
        doors.serve(app, address.host, address.port)


def case_keeper(
    settings: Settings, config: Config, journal: Journal, people: People, sends: bool, by_wall_clock: bool
) -> CaseKeeper | None:
    """What keeps cases, where the file says so."""
    if config.cases is None:
        return None
    return CaseKeeper(journal, config, config.cases, settings.policy, lambda: people.duties, sends, by_wall_clock)


def bounds(config: Config, name: str) -> Bounds:
    """How many messages a channel for people gets."""
    digest = config.digest_of(name)
    return Bounds(digest.messages, round(digest.seconds * 1000))


def composer(
    settings: Settings,
    config: Config,
    people: People,
    links: Links | None,
    kpis: Mapping[str, str],
    clock: Callable[[], int],
) -> Callable[[Gathered, Mapping[str, Any], str], Body]:
    """What writes messages, with names and links as they are now. ``kpis``: rule → the KPI that it watches."""
    named = frozenset(name for name, own in config.channels.items() if getattr(own, "names", False))

    behind = partial(contacts_behind, settings.web_url, settings.policy)

    def compose(found: Gathered, incidents: Mapping[str, Any], channel: str) -> Body:
        now = clock()
        if found.steps[0].about != "incident":
            known = people.directory
            notices = NoticeWriter(
                settings.policy.zone, found.steps[0].language, config.wallboard, known.people, known.names,
                with_names=channel in named,
            )  # fmt: skip
            return notices.compose(found, incidents, now)
        link = None if links is None else (lambda incident: links.make(incident, now))
        writer = Writer(
            settings.policy.zone, config.language, config.wallboard, link, behind, named, people.directory, kpis
        )
        return writer.compose(found, incidents, channel, now)

    return compose


def standings(dispatchers: Mapping[str, Dispatcher]) -> dict[str, dict[str, Any]]:
    """How each channel stands, as health has it. Raises StoreError."""
    told = {}
    for name, dispatcher in dispatchers.items():
        state = dispatcher.measure()
        reason = dispatcher.trouble or (state["said"] if state["failures"] else None)
        told[name] = {
            "state": "ok" if reason is None else "failing",
            "waiting": state["wait"],
            **({"oldest": instant(state["oldest"]).isoformat()} if state["oldest"] else {}),
            **({"since": instant(state["since"]).isoformat()} if state["since"] else {}),
            **({"reason": reason} if reason is not None else {}),
        }
    return told


def _keeping(bridge: Bridge, clock: Callable[[], int]) -> Callable[[Event], None]:
    def keep(stop: Event) -> None:
        while not stop.is_set():
            try:
                bridge.keep(clock())
            except (ConnectionError, StoreError) as error:
                _LOG.warning("the bridge to an Alertmanager: %s; trying again", error)
            except Exception:  # a defect must not end the bridge for good
                _LOG.exception("the bridge to an Alertmanager")
            stop.wait(AGAIN_SECONDS)

    return keep


@contextmanager
def _running(work: Sequence[Callable[[Event], None]], wake: Callable[[], None]) -> Iterator[None]:
    """Threads, asked to end at the end: each ends the try that it has begun."""
    stop = Event()
    threads = [Thread(target=one, args=(stop,), daemon=True) for one in work]
    before = signal.signal(signal.SIGTERM, _terminated)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        stop.set()
        wake()
        for thread in threads:
            thread.join(_END_SECONDS)


def _terminated(*_: Any) -> NoReturn:
    """SIGTERM, after the server has ended: leave in order."""
    raise SystemExit(0)


def _hosts(config: Config, environment: Mapping[str, str]) -> Sequence[str]:
    """The name by which browsers call the server."""
    own = config.acknowledge
    if own is None:
        return ()
    url = environment.get(own.url[1:], "") if own.url.startswith("$") else own.url
    host = urlsplit(url).hostname
    return (host,) if host else ()
