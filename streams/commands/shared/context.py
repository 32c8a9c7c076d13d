"""What all commands share: where the operation is, and how to stop with a clear word."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.languages.translation import said

if TYPE_CHECKING:
    from streams.archive.replaying import Told
    from streams.contracts.frozen import FrozenAnswer, FrozenFigure
    from streams.contracts.outputs import DailyFacts, EntityKind, RosterEntry, Score, Target
    from streams.kpi.case_mix import OfStrata
    from streams.kpi.policy.versions import AnyPolicy
    from streams.operation import KafkaOperation
    from streams.roster import Roster
    from streams.settings import Settings
    from streams.targets.book import Targets

Broker = Annotated[
    str | None,
    typer.Option("--broker", metavar="HOST:PORT[,…]", help="Kafka bootstrap servers", envvar="DESKPULSE_BROKER"),
]
RedisUrl = Annotated[
    str | None, typer.Option("--redis", metavar="URL", help="Redis of the screens", envvar="DESKPULSE_REDIS")
]
Prefix = Annotated[
    str | None,
    typer.Option("--prefix", help="Put before every topic, group and Redis key", envvar="DESKPULSE_PREFIX"),
]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="Policy (YAML); defaults where absent", envvar="DESKPULSE_POLICY_FILE")
]
RulesFile = Annotated[Path | None, typer.Option("--rules", help="Alert rules (YAML)", envvar="DESKPULSE_RULES_FILE")]
Partitions = Annotated[
    int | None,
    typer.Option("--partitions", help="Partitions of the topics, when they are created", envvar="DESKPULSE_PARTITIONS"),
]

MetricsHost = Annotated[
    str,
    typer.Option(
        "--metrics-host",
        envvar="DESKPULSE_METRICS_HOST",
        help="Address on which they are; 0.0.0.0 or :: for all of this machine's, as Prometheus elsewhere and Kubernetes need it",
    ),
]
Declare = Annotated[
    bool,
    typer.Option("--declare/--no-declare", help="Create missing topics; not on a broker that makes them itself"),
]


def stop(message: str, code: int = 1) -> typer.Exit:
    """Say why on the error stream, in the language of whoever reads it; raise what this returns."""
    typer.secho(said(message), err=True, fg=typer.colors.RED)
    return typer.Exit(code)


def bad_value(message: str) -> typer.BadParameter:
    """What an option or argument cannot be, in the language of whoever reads it; raise what this returns."""
    return typer.BadParameter(said(message))


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what users can mend (wrong files, addresses, settings) into one line and exit code 1."""
    try:
        yield
    except (typer.Exit, typer.Abort):  # RuntimeErrors as well, that have been said
        raise
    except (ValueError, ConnectionError, RuntimeError, OSError, TimeoutError) as error:
        raise stop(str(error)) from error


class Deployment:
    """Settings from the environment and the options, read when first needed; also what ``scoring`` asks of an operation.

    What that needs is imported then: every command begins here, also those that say their version or their options only.
    """

    def __init__(self, **given: Any) -> None:
        self._given = {name: value for name, value in given.items() if value is not None}
        self._settings: Settings | None = None

    @property
    def given(self) -> Mapping[str, Any]:
        """The options that were given."""
        return self._given

    def with_(self, **given: Any) -> Deployment:
        """The same with more options given; None leaves what is."""
        return Deployment(**{**self._given, **{name: value for name, value in given.items() if value is not None}})

    @property
    def settings(self) -> Settings:
        """The settings. Ends the command where one is wrong, with its name."""
        if self._settings is None:
            from pydantic import ValidationError

            from streams.kpi.policy.versions import warnings
            from streams.settings import Settings

            try:
                self._settings = Settings(**self._given)
                policy = self._settings.policy
                for warning in warnings(policy, self.now().astimezone(policy.zone).date()):
                    typer.secho(said(warning), err=True, fg=typer.colors.YELLOW)
            except ValidationError as error:
                wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
                raise stop(f"wrong setting: {wrong} (environment DESKPULSE_… or option)") from error
            except ValueError as error:
                raise stop(str(error)) from error
        return self._settings

    @property
    def policy(self) -> AnyPolicy:
        """The policy in force."""
        return self.settings.policy

    @property
    def data_dir(self) -> Path:
        """Where files of this machine are kept."""
        return self.settings.data_dir

    @property
    def database(self) -> str | None:
        """URL of the database of what people decide; None: SQLite in ``data_dir``."""
        return self.settings.database

    def now(self) -> datetime:
        """The machine's clock: when people act."""
        from streams.system_clock import machine_ms
        from streams.windows.clock import instant

        return instant(machine_ms())

    @property
    def _kafka(self) -> KafkaOperation:
        from streams.operation import KafkaOperation

        return KafkaOperation(self.settings)

    def as_of(self) -> datetime:
        """The operation's own clock: as of when its figures are. See ``KafkaOperation``."""
        from streams.windows.clock import instant

        with clear_errors():
            return instant(self._kafka.clock())

    def daily_facts(self, first: date, last: date, kind: EntityKind) -> list[DailyFacts]:
        """See ``KafkaOperation``."""
        with clear_errors():
            return self._kafka.daily_facts(first, last, kind)

    def strata(self, first: date, last: date, measures: Collection[str]) -> OfStrata:
        """See ``KafkaOperation``."""
        with clear_errors():
            return self._kafka.strata(first, last, measures)

    def roster(self, day: date) -> dict[str, RosterEntry]:
        """See ``KafkaOperation``."""
        with clear_errors():
            return self._kafka.roster(day)

    def targets(self) -> Targets:
        """See ``KafkaOperation``."""
        with clear_errors():
            return self._kafka.targets()

    def publish_targets(self, versions: Mapping[str, list[Target]]) -> int:
        """See ``KafkaOperation``."""
        from streams.kafka.topics import ensure_topics

        with clear_errors():
            ensure_topics(self.settings)
            return self._kafka.publish_targets(versions)

    def effect(self, events: Sequence[bytes], amendments: Sequence[bytes], policy: AnyPolicy) -> list[DailyFacts]:
        """See ``pipeline.effect``; as of the operation's own clock, as its facts are."""
        from streams.pipeline import effect

        with clear_errors():
            kafka = self._kafka
            roster, now = kafka.whole_roster(), kafka.clock()
        return effect(events, amendments, policy, roster, now)

    def contact_events(self, since: int) -> Iterable[Told]:
        """See ``history.events.from_topics``."""
        from streams.history.events import from_topics

        return from_topics(self.settings, since)

    def whole_roster(self) -> Roster:
        """See ``KafkaOperation``."""
        return self._kafka.whole_roster()

    def keep_contacts(self, facts: str, first: date, last: date) -> str | None:
        """See ``history.behind.keep``."""
        from streams.history.behind import keep

        return keep(self.settings, facts, first, last)

    def contacts_behind(self, asked: FrozenFigure, policy: AnyPolicy) -> FrozenAnswer:
        """See ``history.behind.behind``."""
        from streams.history.behind import behind
        from streams.history.store import history_database

        database = history_database(self.settings.history or self.settings.database, self.data_dir)
        try:
            return behind(database, policy, asked)
        finally:
            database.close()

    def publish_scores(self, scores: Iterable[Score]) -> int:
        """See ``KafkaOperation``."""
        with clear_errors():
            return self._kafka.publish_scores(scores)

    def published_scores(self, card: str, period: str) -> list[Score]:
        """See ``KafkaOperation``."""
        with clear_errors():
            return self._kafka.published_scores(card, period)


def deployment(ctx: typer.Context, **given: Any) -> Deployment:
    """The command's deployment: what the program was started with, and the command's own options."""
    base = ctx.obj if isinstance(ctx.obj, Deployment) else Deployment()
    return base.with_(**given)
