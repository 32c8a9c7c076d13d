"""``deskpulse dead-letters``: what was refused and why, one message of it, and the way back once its cause is mended."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from streams.commands.shared.context import Broker, Prefix, clear_errors, deployment, stop
from streams.contracts.decode import REASONS
from streams.dead_letters import Count, Group, Mail, Outcome, Sources, Whole, bring_back, counted, judge
from streams.languages.translation import said, tell
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import instant
from streams.worker.dead_letters import At, Letter

dead_letters = typer.Typer(no_args_is_help=True, help="Messages that were refused, and the way back for them.")

Reason = Annotated[
    list[str] | None, typer.Option("--reason", help="Only with this reason; repeat for several", metavar="REASON")
]
Topic = Annotated[
    list[str] | None, typer.Option("--topic", help="Only from this topic; repeat for several", metavar="TOPIC")
]
SourceName = Annotated[
    list[str] | None,
    typer.Option("--source", help="Only whose message names this source; repeat for several", metavar="SOURCE"),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Refused at or after: 2026-10-05, 2026-10-05T14:00, or with an offset"
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Refused before; a day is included to its end")
]

#: Of a message shown: characters.
_SHOWN = 2_000

#: What becomes of letters, for people.
_SAID: dict[Outcome, str] = {
    "back": "brought back",
    "before": "brought back before: not again",
    "older_days": "too late, then or by now: left where they are, as this needs older days to be loaded anew "
    "(`deskpulse recompute --late --write`)",
    "no_event": "not of a topic of events (reason internal, or no place told): left where they are",
    "gone": "longer than their dead letter, or of a partition that is no more, and gone from their topic: cannot be brought back",
    "too_long": "longer than their topic takes: left where they are",
}


@dead_letters.callback()
def commands() -> None:
    """Messages that were refused, and the way back for them."""


@dead_letters.command("list")
def list_(
    ctx: typer.Context,
    reason: Reason = None,
    topic: Topic = None,
    source: SourceName = None,
    since: Since = None,
    until: Until = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON: a list of groups, times in UTC")] = False,
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """How many messages were refused, by reason, source and topic, from when to when, and how many came back.

    `again` counts refusals of messages that had been brought back before. The
    last of each group is named by its place, for `show`.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix).settings
    with clear_errors():
        wanted = _selection(settings, reason, topic, source, since, until)
        groups = counted(Mail(settings), wanted)
    if as_json:
        typer.echo(json.dumps([_row(group, count) for group, count in groups.items()], ensure_ascii=False, indent=1))
    elif groups:
        _table(groups, settings.policy.zone)
    else:
        tell("no dead letters of that kind" if any((reason, topic, source, since, until)) else "no dead letters")


@dead_letters.command()
def show(
    ctx: typer.Context,
    place: Annotated[
        str, typer.Argument(help="Place of the refused message: TOPIC/PARTITION/OFFSET, as `list` has it")
    ],
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """One dead letter: why, where its message stands, its headers, its beginning, and what has become of it."""
    settings = deployment(ctx, broker=broker, prefix=prefix).settings
    with clear_errors():
        at = _place(settings, place)
        mail = Mail(settings)
        letters = {letter.identity: letter for letter in mail.letters() if letter.at == at}
        if not letters:
            raise ValueError(f"no dead letter is of {at}: `deskpulse dead-letters list` names places")
        with Sources(settings, machine_ms()) as sources:
            for letter in letters.values():
                _show(letter, mail, sources, settings.policy.zone)


@dead_letters.command()
def replay(
    ctx: typer.Context,
    places: Annotated[
        list[str] | None, typer.Argument(help="Only these messages: TOPIC/PARTITION/OFFSET …; all where absent")
    ] = None,
    reason: Reason = None,
    topic: Topic = None,
    source: SourceName = None,
    since: Since = None,
    until: Until = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking")] = False,
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """Bring refused messages back to their topics, once their cause is mended: a policy, a calendar, a newer version.

    Says what it would do, and asks. Each message comes back once, whoever runs
    this how often and whatever dies meanwhile; one that is refused again is a
    dead letter again, which says so and may be brought back in its turn. Too
    late ones stay: loading older days is another matter.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix).settings
    with clear_errors():
        wanted = _selection(settings, reason, topic, source, since, until, places or ())
        plan, still = _looked_at(settings, wanted)
        if not plan:
            asked = any((places, reason, topic, source, since, until))
            raise stop("no dead letters of that kind" if asked else "no dead letters")
        if not plan["back"]:
            tell("nothing to bring back")
            _say(plan)
            return
        if not yes:
            tell(f"to be brought back: {plan['back']:,}")
            if still:
                reasons = ", ".join(f"{name} {count:,}" for name, count in sorted(still.items()))
                tell(f"of these, this version refuses {still.total():,} again as they are: {reasons}")
            _say(plan, without="back")
            typer.confirm(said("bring them back?"), abort=True)
        done = Counter[Outcome]()
        bring_back(settings, machine_ms(), wanted, lambda _, outcome: done.update([outcome]))
        _say(done)


def _looked_at(settings: Settings, wanted: Callable[[Letter], bool]) -> tuple[Counter[Outcome], Counter[str]]:
    """What would become of these letters, and for which reasons this version would refuse again what comes back.

    A look, at once: what a run that died had begun is rolled back when the next one begins, and all is judged anew.
    """
    plan, still = Counter[Outcome](), Counter[str]()
    mail = Mail(settings, decided=True)
    with Sources(settings, machine_ms(), decided=True) as sources:
        known = set(mail.notes)
        for letter in filter(wanted, mail.letters()):
            found = judge(letter, known, sources)
            plan["back" if isinstance(found, Whole) else found] += 1
            if isinstance(found, Whole):
                known.add(letter.identity)
                still.update([found.still] if found.still else ())
    return plan, still


def _say(outcomes: Counter[Outcome], without: Outcome | None = None) -> None:
    for outcome, words in _SAID.items():
        if outcomes[outcome] and outcome != without:
            typer.echo(f"{outcomes[outcome]:,} {said(words)}")


def _selection(
    settings: Settings,
    reasons: Sequence[str] | None,
    from_topics: Sequence[str] | None,
    sources: Sequence[str] | None,
    since: str | None,
    until: str | None,
    places: Sequence[str] = (),
) -> Callable[[Letter], bool]:
    """Is a letter meant? Raises ValueError for a reason that there is not, and for what is no time or place."""
    if unknown := sorted(set(reasons or ()) - {*REASONS, "unknown"}):
        raise ValueError(f"there is no reason {unknown[0]!r}; there are: {', '.join(REASONS)}")
    names = {name if name.startswith(settings.prefix) else settings.prefix + name for name in from_topics or ()}
    wanted_places = {_place(settings, place) for place in places}
    zone = settings.policy.zone
    first = None if since is None else _moment(since, zone, "--since")
    last = None if until is None else _moment(until, zone, "--until", end=True)

    def wanted(letter: Letter) -> bool:
        return (
            _among(letter.reason, reasons)
            and _among(letter.at and letter.at.topic, names)
            and _among(letter.at, wanted_places)
            and _among(letter.source, sources)
            and (first is None or letter.refused >= first)
            and (last is None or letter.refused < last)
        )

    return wanted


def _among(one: object, wanted: Collection[object] | None) -> bool:
    """Is it one of those, or does any do?"""
    return not wanted or one in wanted


def _moment(text: str, zone: ZoneInfo, option: str, end: bool = False) -> int:
    """A moment as it is typed, ms since 1970; a day is its first moment, or at the ``end`` the first of the next."""
    try:
        try:
            moment = datetime.combine(date.fromisoformat(text) + timedelta(days=end), time())
        except ValueError:
            moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{option} {text!r} is no time; write it like 2026-10-05 or 2026-10-05T14:00") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


def _place(settings: Settings, text: str) -> At:
    at = At.parse(text)
    return at if at.topic.startswith(settings.prefix) else at._replace(topic=settings.prefix + at.topic)


def _row(group: Group, count: Count) -> dict[str, object]:
    return {
        "reason": group.reason,
        "source": group.source,
        "topic": group.topic,
        "letters": count.letters,
        "replayed": count.back,
        "again": count.again,
        "first": instant(count.first).isoformat(),
        "last": instant(count.last).isoformat(),
        "last_place": None if count.example is None else str(count.example),
    }


def _table(groups: Mapping[Group, Count], zone: ZoneInfo) -> None:
    table = Table(box=SIMPLE)
    counts = ("letters", "replayed", "again")
    for name in ("reason", "source", "topic", *counts, "first refused", "last refused", "place of the last"):
        table.add_column(name, overflow="fold", justify="right" if name in counts else "left")
    for group, count in groups.items():
        table.add_row(
            group.reason,
            group.source or "–",
            group.topic or "–",
            *(f"{number:,}" for number in (count.letters, count.back, count.again)),
            *(_when(at, zone) for at in (count.first, count.last)),
            str(count.example or "–"),
        )
    # As wide as the terminal; what goes into a file or a pipe is not folded.
    Console(width=None if sys.stdout.isatty() else 1_000, highlight=False, markup=False).print(table)


def _when(ms: int, zone: ZoneInfo) -> str:
    return f"{instant(ms).astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _show(letter: Letter, mail: Mail, sources: Sources, zone: ZoneInfo) -> None:
    lines = [
        ("place", str(letter.at)),
        ("reason", f"{letter.reason}: {REASONS.get(letter.reason, 'not one of ours')}"),
        ("detail", letter.detail),
        ("refused", _when(letter.refused, zone)),
        ("source", letter.source or "cannot be read"),
        ("key", "none" if letter.key is None else letter.key.decode("utf-8", "backslashreplace")),
        ("size", f"{letter.size:,} bytes, of which the letter has {len(letter.head):,}"),
    ]
    if letter.origin is not None:
        lines.append(
            ("again", f"refused after it was brought back ({letter.times} times); it stood at {letter.origin} first")
        )
    note = mail.notes.get(letter.identity)
    if note is not None:
        lines.append(("replayed", f"{_when(note.when, zone)}, to {note.to}"))
    else:
        found = judge(letter, mail.notes, sources)
        lines.append(("replay", "can be brought back" if isinstance(found, Whole) else _SAID[found]))
    for name, told in lines:
        typer.echo(f"{name:<9} {told}")
    typer.echo("headers")
    for name, content in letter.headers:
        typer.echo(f"  {name}: {content.decode('utf-8', 'backslashreplace')}")
    text = letter.head.decode("utf-8", "backslashreplace")
    typer.echo(f"value{f', the first {_SHOWN:,} characters' if len(text) > _SHOWN else ''}")
    typer.echo(text[:_SHOWN])
