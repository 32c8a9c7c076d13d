"""``deskpulse alert``: the rules, and incidents: see them, take care of them, silence them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.alerts.baselines import WEEKS
from streams.alerts.budgets import Budget
from streams.alerts.rules import Rule, require_hours
from streams.alerts.selectors import selector
from streams.archive.store import Store
from streams.back_test.archived import archived_roster, as_it_came
from streams.back_test.budgets import Spent, spent
from streams.back_test.chance import Chance, Counted, chance_of
from streams.back_test.judged import of_archive, of_topic
from streams.back_test.page import CHANCE, by_channel, cells, headings, page, summary
from streams.back_test.trial import Trial, try_rules
from streams.commands.shared.archive import At, place_of
from streams.commands.shared.author import AsJson, By, author
from streams.commands.shared.context import (
    Broker,
    Deployment,
    PolicyFile,
    Prefix,
    RulesFile,
    bad_value,
    clear_errors,
    deployment,
    stop,
)
from streams.commands.shared.facts_source import Days, From, RosterFile, Source, To, days, tell_left_out
from streams.commands.shared.files import Mapping, System, reader
from streams.contracts.decode import encode
from streams.contracts.events.base import milliseconds
from streams.contracts.outputs import ActionKind, Against, AlertAction, Contribution, Incident
from streams.contracts.topics import CONTRIBUTIONS
from streams.history.store import history_database
from streams.history.things import things
from streams.incidents.silences import SILENCED_BY
from streams.kafka.topics import ensure_topics
from streams.kpi.policy.versions import versions
from streams.languages.text import Text as Words
from streams.languages.translation import language, said, tell
from streams.notifier.config import load as load_notifier
from streams.operation import KafkaOperation
from streams.operator_files import load_budget, load_rules
from streams.pipeline import Run, contributed
from streams.roster import Roster
from streams.settings import Settings
from streams.sources.vendors.reader import Vendor
from streams.windows.clock import instant

alert = typer.Typer(no_args_is_help=True, help="Alert rules, and incidents: see them, take care of them, silence them.")

Which = Annotated[
    str, typer.Argument(metavar="INCIDENT", help="Its id; the last characters are enough where no other ends so")
]
Events = Annotated[
    list[Path] | None,
    typer.Argument(help="Tables (CSV, TSV, XLSX) or records (JSON), also .gz; the archive where none is given"),
]
Note = Annotated[str, typer.Option("--note", help="Why, or what is being done; told to everybody concerned")]

_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_LONGEST_NOTE = 2000


@alert.command()
def check(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Alert rules (YAML)")],
    files: Events = None,
    chance: Annotated[
        bool,
        typer.Option("--chance", help="Say how often a week each rule would fire by chance, on what has been kept"),
    ] = False,
    mapping: Mapping = None,
    system: System = None,
    first: From = None,
    last: To = None,
    json_: AsJson = False,
    policy: PolicyFile = None,
    roster: RosterFile = None,
    at: At = None,
    prefix: Prefix = None,
) -> None:
    """Read a file of rules as a worker would, and say every fault in it; and what rules are held against that is no number.

    --chance says how often each would fire where nothing has happened: things
    of the last four weeks come in another order, again and again; and where
    the file has a `budget` of false alarms, what is spent of it. They are
    those of files; without any those that `deskpulse history` keeps; where
    that is not there, of the archive. `deskpulse alert try` says how often
    rules really would have fired.
    """
    here = deployment(ctx, policy_file=policy, archive=at, prefix=prefix)
    found = _sound(file, here.settings)
    if not chance:
        if files or mapping or system or roster or first or last or json_:
            raise bad_value("files, --mapping, --system, --roster, --from, --to and --json go with --chance")
        tell(f"sound: {len(found)} rules")
        if load_budget(file) is not None:
            tell("budget: --chance says what chance spends of it")
        for rule in found:
            if rule.by_target:
                tell(f"{rule.id}: held against targets (`deskpulse targets`)")
            elif rule.against is not None:
                tell(
                    f"{rule.id}: held against {_AGAINST[rule.against][language()]}; `deskpulse history` tells that, from its fourth week on"
                )
        return
    budget = load_budget(file)
    told, place, costs = _by_chance(here, found, budget, files, mapping, system, roster, days(first, last))
    if json_:
        said_of = {"first": f"{told.first}", "last": f"{told.last}", "by_chance_a_week": told.of}
        spoken = {} if budget is None else {"budget": {one.kind: one.told() for one in costs}}
        typer.echo(json.dumps({**said_of, **spoken}, indent=2))
    else:
        tell(f"expected by chance, {told.first} to {told.last}, {place}:")
        for rule in found:
            often = told.of[rule.id]
            tell(f"{rule.id}: {often:.1f} a week" if often is not None else f"{rule.id}: nothing can be said")
    _tell_spent(costs, budget, err=json_)


def _tell_spent(costs: Sequence[Spent], budget: Budget | None, *, err: bool = False) -> None:
    """Say what is spent of a budget of false alarms; ends the command where more is, and the file says that it is refused then."""
    for one in costs:
        for line in one.said():
            typer.echo(line[language()], err=err)
    if budget is not None and budget.overrun == "refuse" and any(one.over for one in costs):
        raise stop("the rules bring more false alarms than their budget has (`overrun: refuse`)")


#: What rules are held against, in a sentence.
_AGAINST: dict[Against, Words] = {
    "usual": Words("各对象自身平时在同一时段的水平", "what is usual of each at this hour of the week"),
    "peers": Words("同类对象在同一时段的水平", "what those alike have at this hour of the week"),
}


def _sound(file: Path, settings: Settings) -> tuple[Rule, ...]:
    """The rules of a file; ends the command where one is at fault."""
    with clear_errors():
        found = load_rules(file)
        for _, version in versions(settings.policy):
            require_hours(found, version)
    return found


def _by_chance(
    here: Deployment,
    rules: tuple[Rule, ...],
    budget: Budget | None,
    files: list[Path] | None,
    mapping: Path | None,
    system: Vendor | None,
    roster: Path | None,
    within: Days,
) -> tuple[Chance, str, list[Spent]]:
    """What chance makes of rules, of where that is known, and what of a budget that spends."""
    settings, counted, run, rejected = here.settings, Counted(rules, here.settings.policy), Run(), list[str]()
    history = history_database(settings.history or settings.database, settings.data_dir)
    first = _before(rules, None if within.first == date.min else within.first)
    with clear_errors(), Console(stderr=True).status(said("reading …")), closing(history):
        if files:
            source = Source(here, files, mapping, roster, reader(mapping, system))
            place = source.place
            with source.in_order(rejected) as events:
                in_order = ((milliseconds(event.time), encode(event)) for event in events)
                _hear(counted, contributed(in_order, settings.policy, run, source.known_roster))
        elif mapping is not None or system is not None or roster is not None:
            raise ValueError("--mapping, --system and --roster go with files: name those, too")
        elif history.exists and history.begun:
            place = history.address
            for key, team, minute, sums in things(history, first or date.min, within.last):
                counted.count(key, team, minute, sums)
        else:
            store, known = Store(place_of(settings)), Roster()
            place = store.place
            told = as_it_came(store, settings.prefix, settings.policy, first, known)
            _hear(counted, contributed(told, settings.policy, run, known))
        found = chance_of(counted, rules, within.first, within.last)
        costs = [] if found is None or budget is None else spent(counted, rules, budget, found.first, found.last)
    tell_left_out(rejected, run)
    if found is None:
        raise stop(f"no contacts in {within} at {place}")
    return found, place, costs


def _hear(counted: Counted, said: Iterable[tuple[str, Contribution]]) -> None:
    for key, contribution in said:
        counted.hear(key, contribution)


def _before(rules: Iterable[Rule], first: date | None) -> date | None:
    """From which day on events are needed, so that on a day is known what was usual until then."""
    if first is None or not any(rule.against for rule in rules):
        return first
    return first - timedelta(weeks=WEEKS)


@alert.command("try")
def try_(
    ctx: typer.Context,
    rules: Annotated[Path, typer.Argument(help="Alert rules (YAML)")],
    files: Events = None,
    mapping: Mapping = None,
    system: System = None,
    first: From = None,
    last: To = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a page, too: when each rule fired, for whom, how long", dir_okay=False),
    ] = None,
    notifier: Annotated[
        Path | None,
        typer.Option("--notifier", help="The notifier's file: say which channel gets how many messages by its routes"),
    ] = None,
    as_judged: Annotated[
        Literal["archive", "topic"] | None,
        typer.Option(
            "--as-judged",
            help="Take what workers judged rules on, as of the seconds at which they did: of the archive (`archive --contributions`), or "
            "what Kafka keeps of the last days",
        ),
    ] = None,
    json_: AsJson = False,
    policy: PolicyFile = None,
    roster: RosterFile = None,
    at: At = None,
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """What these rules would have done with the events of files or of the archive: how often, for whom, how long, and how many messages
    people get; and how often each would have fired by chance.

    The events are lived through second by second by the stages that workers
    run; nobody acknowledges. Those of the archive come in the order and at the
    time at which they came, with the roster of then; those of files each as if
    it had been told when it happened.
    Messages are the steps of incidents, as `deskpulse incidents` makes them.
    What comes before --from is taken in, and not told of. A month of 200,000
    events takes some minutes. Nothing is sent, and no Kafka is needed.

    --as-judged gives the very steps that alerts took, or with other rules would
    have taken, whatever the load was and however often workers were restarted.
    """
    here = deployment(ctx, broker=broker, policy_file=policy, archive=at, prefix=prefix)
    settings = here.settings
    found = _sound(rules, settings)
    if as_judged is not None and (files or mapping or system or roster):
        raise bad_value(
            "--as-judged takes what workers have judged, and neither files, --mapping, --system nor --roster"
        )
    within, rejected = days(first, last), list[str]()
    with clear_errors(), Console(stderr=True).status(said("reading …")) as status:
        lived = partial(
            try_rules,
            found,
            policy=settings.policy,
            notifier=None if notifier is None else load_notifier(notifier),
            budget=load_budget(rules),
            first=within.first,
            last=within.last,
            passed=lambda at: status.update(f"{at.astimezone(settings.policy.zone):%Y-%m-%d %H:%M}"),
        )
        if as_judged is not None:
            place, trial = _as_judged(lived, settings, as_judged, _before(found, first))
        elif files:
            source = Source(here, files, mapping, roster, reader(mapping, system))
            place = source.place
            with source.in_order(rejected) as events:
                told = ((milliseconds(event.time), encode(event)) for event in events)
                trial = lived(told=told, roster=source.known_roster)
        else:
            if mapping is not None or system is not None or roster is not None:
                raise ValueError("--mapping, --system and --roster go with files: name those, too")
            store = Store(place_of(settings))
            place, known = store.place, Roster()
            try:
                trial = lived(
                    told=as_it_came(store, settings.prefix, settings.policy, _before(found, first), known), roster=known
                )
            except ValueError as error:
                with closing(history_database(settings.history or settings.database, settings.data_dir)) as history:
                    if not (history.exists and history.begun):
                        raise
                raise ValueError(
                    f"{error} The history keeps what came of contacts, not the events nor when each came, so rules cannot be tried on it; "
                    "`deskpulse alert check RULES --chance` can be asked of it."
                ) from error
    tell_left_out(rejected, trial.run)
    if not trial.weeks:
        raise stop(f"no events in {within} at {place}")
    _tell_trial(trial, html, as_json=json_)
    _tell_spent(trial.spent, trial.budget, err=json_)
    if trial.run.rejected:
        raise typer.Exit(1)


def _as_judged(
    lived: Callable[..., Trial], settings: Settings, where: Literal["archive", "topic"], first: date | None
) -> tuple[str, Trial]:
    """Where it is, and the trial on it; sites are those of the roster of now, where Kafka is asked."""
    if where == "topic":
        roster = KafkaOperation(settings).whole_roster()
        return f"{settings.broker}, {settings.topic(CONTRIBUTIONS)}", lived(
            told=(), judged=of_topic(settings), roster=roster
        )
    store = Store(place_of(settings))
    return store.place, lived(
        told=(), judged=of_archive(store, settings.prefix, first), roster=archived_roster(store, settings.prefix)
    )


def _tell_trial(trial: Trial, html: Path | None, *, as_json: bool) -> None:
    spoken, found = language(), [trial.of(rule) for rule in trial.rules]
    if html is not None:
        with clear_errors():
            html.write_text(page(trial, spoken), encoding="utf-8")
        tell(f"written: {html}", err=True)
    if as_json:
        typer.echo(json.dumps([each.told() for each in found], ensure_ascii=False, indent=2))
        return
    _print(headings(spoken), [cells(each, spoken) for each in found])
    typer.echo(summary(trial, spoken))
    if channels := by_channel(trial, spoken):
        typer.echo(channels)
    typer.echo(CHANCE[spoken])


@alert.command()
def schema() -> None:
    """Print the JSON Schema of a file of rules, for editors that complete and check as you type."""
    from streams.alerts.rules import rules_schema

    typer.echo(json.dumps(rules_schema(), indent=2, ensure_ascii=False))


@alert.command()
def rules(ctx: typer.Context, rules: RulesFile = None, json_: AsJson = False) -> None:
    """The rules in force: those of DESKPULSE_RULES_FILE, or the five that come with the program."""
    settings = deployment(ctx, rules_file=rules).settings
    with clear_errors():
        found = load_rules(settings.rules_file)
    if json_:
        typer.echo(
            json.dumps([rule.model_dump(mode="json", by_alias=True) for rule in found], ensure_ascii=False, indent=2)
        )
        return
    _print(
        ("id", "kpi", "window", "holds", "for (s)", "watches", "severity", "tells"),
        [_rule_cells(rule) for rule in found],
    )


def _rule_cells(rule: Rule) -> tuple[object, ...]:
    side, end = ("<", rule.below) if rule.below is not None else (">", rule.above)
    holds = f"{side} {end if isinstance(end, str) else format(end, 'g')}"
    if rule.margin is not None:
        holds += f" {'-' if side == '<' else '+'} {rule.margin:g}"
    if rule.test == "cusum":
        holds = f"{rule.usual:g} → {rule.bad:g}, {rule.false_per_week:g} false a week"
    watches = ", ".join((*rule.scope, *rule.select))
    escalates = (
        f", {', '.join(rule.escalate_to or rule.notify)} +{rule.escalate_after:g} s" if rule.escalate_after else ""
    )
    return (
        rule.id, rule.kpi, rule.window, holds, f"{rule.for_seconds:g}", watches,
        rule.severity, ", ".join(rule.notify) + escalates,
    )  # fmt: skip


@alert.command("list")
def list_(
    ctx: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Those that are over, too")] = False,
    json_: AsJson = False,
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """Incidents that are not over, the oldest first, and silences that hold for them."""
    here = deployment(ctx, broker=broker, prefix=prefix)
    with clear_errors():
        found = [one for one in KafkaOperation(here.settings).incidents() if all_ or one.status != "resolved"]
    if json_:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    zone = here.settings.policy.zone
    _print(
        ("incident", "since", "status", "severity", "about", "alerts", "who", "now"),
        [
            (
                one.id, f"{one.opened.astimezone(zone):%Y-%m-%d %H:%M}", one.status, one.severity, one.entity.replace("|", " "),
                f"{one.firing} / {len(one.members) + one.more_members}", _who(one), one.steps[-1].reason_en if one.steps else None,
            )
            for one in found
        ],
    )  # fmt: skip


def _who(incident: Incident) -> str | None:
    if incident.silenced:
        return ", ".join(f"{one.by} (silence {one.id})" for one in incident.silenced)
    return incident.acknowledged.by if incident.acknowledged else None


@alert.command()
def show(ctx: typer.Context, incident: Which, broker: Broker = None, prefix: Prefix = None) -> None:
    """One incident with its alerts, notes and every step, as JSON."""
    here = deployment(ctx, broker=broker, prefix=prefix)
    with clear_errors():
        found = _find(KafkaOperation(here.settings).incidents(), incident)
    typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


@alert.command()
def ack(
    ctx: typer.Context, incident: Which, by: By, note: Note = "", broker: Broker = None, prefix: Prefix = None
) -> None:
    """Take care of an incident: nobody is called again about it until it has cleared."""
    one = _act_on(deployment(ctx, broker=broker, prefix=prefix), "acknowledge", incident, by, note)
    tell(f"{one.id}: {by} takes care of it")


@alert.command()
def unack(
    ctx: typer.Context, incident: Which, by: By, note: Note = "", broker: Broker = None, prefix: Prefix = None
) -> None:
    """Take care of an incident no longer: it escalates as if nobody ever had."""
    one = _act_on(deployment(ctx, broker=broker, prefix=prefix), "unacknowledge", incident, by, note)
    tell(f"{one.id}: nobody takes care of it")


@alert.command()
def note(
    ctx: typer.Context,
    incident: Which,
    text: Annotated[str, typer.Argument(help="What is to be kept with it")],
    by: By,
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """Put a note to an incident, up to a week after it was over, too."""
    if not text.strip():
        raise bad_value("the note is empty")
    one = _act_on(deployment(ctx, broker=broker, prefix=prefix), "note", incident, by, text)
    tell(f"{one.id}: noted")


@alert.command()
def silence(
    ctx: typer.Context,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="SELECTOR…|INCIDENT",
            help="queue:orders, team:T*, site:, agent:, rule:, severity:, kpi:, channel: or a label of rules; or the id of one incident",
        ),
    ],
    by: By,
    for_: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long: 30m, 2h, 1d")],
    note: Note = "",
    broker: Broker = None,
    prefix: Prefix = None,
    rules: RulesFile = None,
) -> None:
    """Tell nobody for a while: of one incident, or of everything that fits. It goes on being seen and kept.

    Of several selectors with one name one is enough, those with different names are all needed: queue:a queue:b rule:long_wait.
    """
    here = deployment(ctx, broker=broker, prefix=prefix, rules_file=rules)
    lasts = _duration(for_)
    with clear_errors():
        operation = KafkaOperation(here.settings)
        until = instant(operation.clock()) + lasts
        incident, selectors = None, []
        if any(":" in one for one in what):
            labels = {label for rule in load_rules(here.settings.rules_file) for label in rule.labels}
            selectors = [str(selector(one, (*SILENCED_BY, *labels))) for one in what]
        elif len(what) > 1:
            raise ValueError("give the id of one incident, or selectors like queue:orders")
        else:
            incident = _find(operation.incidents(), what[0]).id
    id = _send(here, "silence", by, note, incident=incident, selectors=selectors, until=until)
    tell(f"silence {id}: until {until.astimezone(here.settings.policy.zone):%Y-%m-%d %H:%M}")


@alert.command()
def unsilence(
    ctx: typer.Context,
    silence: Annotated[
        str, typer.Argument(metavar="SILENCE", help="Its id, as `deskpulse alert silence` and `list` say it")
    ],
    by: By,
    note: Note = "",
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """End a silence before its time: who is concerned is told of what still fires."""
    _send(deployment(ctx, broker=broker, prefix=prefix), "unsilence", by, note, silence=silence)
    tell(f"silence {silence}: ended")


def _act_on(here: Deployment, kind: ActionKind, incident: str, by: str, note: str) -> Incident:
    with clear_errors():
        found = _find(KafkaOperation(here.settings).incidents(), incident)
        if found.status == "resolved" and kind != "note":
            raise ValueError(f"the incident {found.id} is over; a note can still be put to it")
    _send(here, kind, by, note, incident=found.id)
    return found


def _send(
    here: Deployment,
    kind: ActionKind,
    by: str,
    note: str,
    *,
    incident: str | None = None,
    selectors: Sequence[str] = (),
    silence: str | None = None,
    until: datetime | None = None,
) -> str:
    """Put the action on its topic; returns its id."""
    if len(note) > _LONGEST_NOTE:
        raise bad_value(f"the note is {len(note)} characters long, at most {_LONGEST_NOTE} are kept")
    with clear_errors():
        ensure_topics(here.settings)
        action = AlertAction(
            id=uuid4().hex[:12], at=here.now(), by=author(here, by), kind=kind, incident=incident, selectors=list(selectors),
            silence=silence, note=note, until=until,
        )  # fmt: skip
        KafkaOperation(here.settings).act(action)
    return action.id


def _find(incidents: Sequence[Incident], wanted: str) -> Incident:
    """The one that is meant. Raises ValueError where there is none or several."""
    exact = [one for one in incidents if one.id == wanted]
    found = exact or [one for one in incidents if wanted and one.id.endswith(wanted)]
    if not found:
        raise ValueError(f"there is no incident {wanted!r}; see `deskpulse alert list --all`")
    if len(found) > 1:
        raise ValueError(
            f"{wanted!r} is the end of {len(found)} incidents, such as {found[0].id} and {found[1].id}; give more of it"
        )
    return found[0]


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})([mhd])", text.strip())
    if match is None or int(match[1]) == 0:
        raise bad_value(f"{text!r} is no duration; write it like 30m, 2h or 1d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _print(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text("—" if cell in (None, "") else str(cell)) for cell in row))
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
