"""``deskpulse score 360``: several raters a party, anonymous: who is asked, their ratings, and how it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scoring.cards.load import find
from scoring.cards.parties import Party, parties
from scoring.commands.options import AsJson, By, CardName, PeriodOption, actor, pairs
from scoring.commands.output import as_json, clear, row, show, table
from scoring.commands.run import card_id
from scoring.inputs.ballots import Line, ballot, read_ballots, read_raters
from scoring.reports.sheet_files import file_names
from scoring.store.panels import Panel, newest
from scoring.workflow import panels as polls
from scoring.workflow.gather import Operation, names, people, store
from scoring.workflow.panels import Code, Wanted
from streams.languages.translation import tell

panels = typer.Typer(
    no_args_is_help=True,
    help="360-degree ratings: parties of several raters, anonymous from three on. Each rater has a code that is good once.",
)
_MOST_BYTES = 20_000_000


@panels.callback()
def commands() -> None:
    """360-degree ratings: parties of several raters, anonymous from three on. Each rater has a code that is good once."""


@panels.command("open")
def open_(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    by: By,
    person: Annotated[str | None, typer.Option("--person", metavar="PERSON", help="Who is rated")] = None,
    party: Annotated[
        str | None,
        typer.Option("--party", metavar="PARTY", help="As what they are rated, such as peer; the card says which"),
    ] = None,
    rater: Annotated[
        list[str] | None, typer.Option("--rater", metavar="ID", help="Who rates; repeat for several")
    ] = None,
    raters: Annotated[
        Path | None,
        typer.Option("--raters", metavar="FILE", help="In place of these: CSV or XLSX with person, party, rater"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write each rater's ballot here (XLSX) in place of showing codes"),
    ] = None,
) -> None:
    """Ask several people to rate somebody. Each gets a code for each person they rate; it is shown once, and kept beside no name.

    Give every rater their own codes, or their ballot, and keep no list: who has which code is known to nobody else. With fewer raters
    than the party needs nothing is opened.
    """
    operation: Operation = ctx.obj
    with clear():
        one = find(card)
        wanted = _wanted(person, party, rater, raters)
        known = people(operation, one, when)
        with store(operation) as database, database.write() as connection:
            codes = polls.open_panels(connection, one, when, known, wanted, actor(operation, by))
        if out is not None:
            asked = parties(one)
            _write(operation, out, codes, {code.code: asked[code.party] for code in codes})
    tell(f"opened: {len(wanted)} panels, {len(codes)} codes")
    if out is not None:
        return
    made = table("评分人 Rater", "被评人 Person", "方 Party", "一次性代码 Code")
    for code in codes:
        row(made, code.rater, code.person, code.party, code.code)
    show(made)


def _wanted(person: str | None, party: str | None, rater: list[str] | None, file: Path | None) -> list[Wanted]:
    single = (person, party, rater)
    if file is not None and not any(single):
        told = read_raters(file.name, _read(file))
        return [Wanted(who, of, tuple(all_)) for (who, of), all_ in told.items()]
    if file is None and person and party and rater:
        return [Wanted(person, party, tuple(rater))]
    raise ValueError("say who rates whom: --person, --party and --rater, or --raters FILE; one of the two")


def _write(operation: Operation, out: Path, codes: list[Code], asked: dict[str, Party]) -> None:
    called = names(operation)
    out.mkdir(parents=True, exist_ok=True)
    files = file_names(dict.fromkeys(code.rater for code in codes))
    for rater, name in files.items():
        lines = [
            Line(
                code.code, code.person, called.both(code.person) or "", item.id, f"{item.name.zh} {item.name.en}", ask.low, ask.high
            )
            for code in codes
            if code.rater == rater
            for (item, _), ask in zip(asked[code.code].asks, polls.asks_of(asked[code.code]), strict=True)
        ]  # fmt: skip
        path = out / f"{name}.xlsx"
        path.write_bytes(ballot(lines))
        path.chmod(0o600)
    tell(f"written: {len(files)} ballots to {out}")


def rate(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code that you were given")],
    ratings: Annotated[list[str], typer.Argument(metavar="ITEM=RATING…", help="A rating of every item that is asked")],
) -> None:
    """Rate by a code. Nobody is asked who they are, and nothing of it stands in the audit trail.

    Example: `deskpulse score 360 rate 4f0c… peer=17`.
    """
    operation: Operation = ctx.obj
    with clear():
        given = pairs(ratings, "ITEM=RATING, like peer=17")
        with store(operation) as database:
            with database.write() as connection:
                made = polls.rate(connection, code, given)
            polls.leave_nothing(database)
    tell(f"taken: the rating of {made.person} as {made.party}; thank you")


panels.command("rate")(rate)


@panels.command("import")
def import_(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Ballots that were filled in (XLSX, CSV)")],
) -> None:
    """Take ballots that were filled in: all of each file, or nothing of it and why. Where they came from is not kept.

    Whoever collects files sees what is in them; over HTTP, raters give their ratings to nobody but the program.
    """
    operation: Operation = ctx.obj
    taken = 0
    with clear(), store(operation) as database:
        for file in files:
            told = read_ballots(file.name, _read(file))
            try:
                with database.write() as connection:
                    for code, given in told.items():
                        polls.rate(connection, code, given)
            except ValueError as error:
                raise ValueError(f"{file.name}: {error}; {taken} ballots of other files were taken") from error
            taken += len(told)
        polls.leave_nothing(database)
    tell(f"taken: {taken} ballots")


@panels.command()
def status(ctx: typer.Context, card: CardName, when: PeriodOption, json_: AsJson = False) -> None:
    """How many of whom have rated; what they gave is told once a panel is closed, as a mean."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        found = newest(connection, card_id(card), str(when))
        called = names(operation)
    if json_:
        as_json(found)
        return
    made = table("被评人 Person", "方 Party", "邀请 Invited", "已评 Rated", "状态 State", "平均 Mean")
    for one in found:
        means = ", ".join(f"{ask.item} {mean}" for ask in one.asks if (mean := polls.mean_of(one, ask.item)))
        row(made, called.beside(one.person), one.party, ", ".join(one.raters), one.rated, _state(one), means)
    show(made)


@panels.command()
def close(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    by: By,
    person: Annotated[str | None, typer.Option("--person", metavar="PERSON", help="Only of this person")] = None,
    party: Annotated[str | None, typer.Option("--party", metavar="PARTY", help="Only of this party")] = None,
) -> None:
    """Close panels: no more ratings are taken. The mean counts where enough have rated; of fewer, nothing counts, and the sheet says so.

    Single ratings and codes are deleted with it. Prepare the run again afterwards.
    """
    operation: Operation = ctx.obj
    with clear(), store(operation) as database:
        with database.write() as connection:
            id = card_id(card)
            made = polls.close(
                connection, polls.to_close(connection, id, str(when), person, party), actor(operation, by)
            )
        polls.leave_nothing(database)
    for one in made:
        tell(f"{one.person}, {one.party}: {polls.told(one)}")


def _state(one: Panel) -> str:
    if not one.closed:
        return "进行中 open"
    return "已截止 closed" if one.counts else f"已截止，不足 {one.least} 人，不计 closed, too few: does not count"


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{file}: more than {_MOST_BYTES} bytes; split it")
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {file}: {error.strerror}; give the path of a CSV or XLSX file") from error
