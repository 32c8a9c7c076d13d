"""``deskpulse card``: look at score cards, check them, try their items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from scoring import yaml_documents
from scoring.cards import profiles
from scoring.cards.automation import automation_words
from scoring.cards.load import find, known, load
from scoring.cards.model import Card, Item
from scoring.cards.profile_calendar import load_calendar
from scoring.cards.profiles import Profile, find_profile, known_profiles, load_profile
from scoring.cards.schema import schemas
from scoring.cards.validation import warnings
from scoring.cards.weights import Weights, own_weights
from scoring.commands import output
from scoring.commands.output import clear, stop, table
from scoring.evaluation.trial import attempt, fields_of
from scoring.rounding import NONE, cents, some
from scoring.yaml_documents import DocumentError, File
from streams import bounded_yaml
from streams.languages.translation import said, tell

card = typer.Typer(no_args_is_help=True, help="Score cards: look at them, check them, try their items.")

_CardName = Annotated[
    str, typer.Argument(metavar="CARD", help="Id of a card that comes with the program, or a .yaml file")
]
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs")]


@card.callback()
def commands() -> None:
    """Score cards: look at them, check them, try their items."""


@card.command("list")
def list_() -> None:
    """The cards and the profiles that come with the program."""
    of_cards = table(
        "评分卡 Card", "名称 Name", "岗位 Role", "考核周期 Period", "考核指标 Items", "满分 Max", "完整性 Completeness"
    )
    for id, file in known().items():
        one = load(file)
        said = f"{one.completeness.zh}\n{one.completeness.en}" if one.completeness else ""
        names = f"{one.name.zh}\n{one.name.en}"
        of_cards.add_row(id, names, one.role, ", ".join(one.periods), str(len(one.items)), some(one.total.max), said)
    output.show(of_cards)
    of_profiles = table("方案 Profile", "名称 Name", "类别 Kind", "评分卡 Cards", "说明 Note")
    for id in known_profiles():
        profile = find_profile(id)
        note = f"{profile.note.zh}\n{profile.note.en}" if profile.note else ""
        of_profiles.add_row(id, f"{profile.name.zh}\n{profile.name.en}", profile.kind, ", ".join(profile.cards), note)
    output.show(of_profiles)


@card.command()
def show(
    name: _CardName,
    profile: Annotated[str | None, typer.Option(help="Show the weights under this profile (id or .yaml file)")] = None,
    as_json: _AsJson = False,
) -> None:
    """A card with its items, targets, rules and sources; with --profile also what items weigh under it."""
    with clear():
        one = find(name)
        weights = own_weights(one) if profile is None else _under(find_profile(profile), one)
    if as_json:
        typer.echo(one.model_dump_json(by_alias=True, exclude_defaults=True, indent=2))
        return
    output.show(_shown(one, weights, profile))


@card.command()
def check(
    given: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...", help="Cards, profiles or calendars; without any, those that come with the program"
        ),
    ] = None,
) -> None:
    """Check cards, profiles and calendars: every fault with file, line, item and what to do. Exit code 1 where there is one."""
    found = list(given or ())
    everything: Iterable[File] = found or [*known().values(), *known_profiles().values()]
    wrong = 0
    for file in everything:
        try:
            typer.echo(_checked(file))
        except DocumentError as error:
            typer.echo(said(str(error)), err=True)
            wrong += 1
    if wrong:
        raise typer.Exit(1)


@card.command("try")
def try_(
    name: _CardName,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Id of one of its items")],
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FIELD=VALUE]...",
            help="value=98.5, or actual=… target=…, level=… pick=…, rating=…, a rater's name",
        ),
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """What an item earns for these figures, and why.

    Examples: `deskpulse card try s4-b-cs-supervisor-scale B1 value=98.5`, `… s4-c-installer C1 actual=2 reference=3`,
    `… s4-f-aftersales-supervisor-kpi F5 level=2 pick=4`, `… s0-c-three-dimensions communication superior=90 peers=80`.
    """
    with clear():
        tried = attempt(find(name), item, _fields(given or []))
    if as_json:
        typer.echo(msgspec.json.Encoder(decimal_format="number").encode(tried.as_data()))
        return
    points = tried.score.points
    typer.echo(f"{NONE if points is None else cents(points)} / {some(tried.score.item.max)}")
    typer.echo(tried.score.reason_zh)
    typer.echo(tried.score.reason_en)
    if not tried.fields:
        tell(f"takes: {', '.join(fields_of(tried.card, tried.card.item(item)))}")


@card.command()
def schema(
    out: Annotated[Path, typer.Argument(help="Directory to write to; made where absent")],
) -> None:
    """Write the JSON Schema of cards, profiles and calendars, for editors to complete them."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, text in schemas().items():
            (out / file).write_text(text, encoding="utf-8")
            tell(f"written: {out / file}")
    except OSError as error:
        stop(f"cannot write to {out}: {error}; choose another directory")


def _fields(given: Iterable[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ValueError(f"{text!r} is no field: write a name, an equals sign and a value, like value=98.5")
        if name in fields:
            raise ValueError(f"{name} is given twice; give it once")
        fields[name] = value
    return fields


def _checked(file: File) -> str:
    """What there is to say of a sound file. Raises DocumentError for one that is not."""
    match _kind(file):
        case "profile":
            one = load_profile(file)
            for id in one.cards:
                if id in known():
                    _fits(one, find(id))
            return f"{file}: profile {one.id} v{one.version} is sound"
        case "calendar":
            seasons = load_calendar(Path(str(file)))
            return f"{file}: calendar of {len(seasons)} entries is sound"
        case _:
            sound = load(file)
            noted = yaml_documents.notes(file, warnings(sound))
            lines = "".join(f"\nwarning: {line}" for line in noted.splitlines())
            return f"{file}: card {sound.id} v{sound.version} is sound{lines}"


def _kind(file: File) -> str:
    """What the file says it is; a card where it says nothing that is known."""
    try:
        said = bounded_yaml.load_file(file)
        return str(said["schema"]).split("/")[1]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return "card"


def _fits(profile: Profile, one: Card) -> None:
    if one.total.max is not None:
        profiles.under(profile, one)
    else:
        profiles.named(profile, one)


def _under(profile: Profile, one: Card) -> Weights:
    """What items weigh while the profile is in force throughout."""
    if one.id not in profile.cards:
        raise ValueError(f"the profile {profile.id} does not change {one.id}; it changes: {', '.join(profile.cards)}")
    own = own_weights(one)
    return Weights(profiles.under(profile, one), own.base)


def _shown(one: Card, weights: Weights, profile: str | None) -> Table:
    made = table(
        "考核指标\nItem",
        "名称 Name",
        "数据 Figure",
        "目标值\nTarget",
        "满分 Max",
        "权重 Weight",
        "规则 Rule",
        "来源 Source",
    )
    periods = ", ".join(one.periods)
    made.title_style = "bold"
    made.title = escape(
        f"{one.name.zh} · {one.name.en}\n{one.id} v{one.version} · {one.role} · {periods} · 满分 max {some(one.total.max)}"
        + (f" · {profile}" if profile else "")
    )
    automated = automation_words(one)
    made.caption = escape(f"{automated.zh} · {automated.en}")
    for section in one.sections:
        made.add_row(
            f"[bold]{escape(section.name.zh)}[/]", f"[bold]{escape(section.name.en)}[/]", "", "", some(section.max)
        )
        for item in section.items:
            made.add_row(item.id, *_cells(one, item, weights))
        for item in one.optional:
            if item.section == section.id:
                made.add_row(f"{item.id} (optional)", *_cells(one, item, weights))
    return made


def _cells(one: Card, item: Item, weights: Weights) -> Iterator[str]:
    """What stands behind an item's id."""
    yield escape(f"{item.name.zh}\n{item.name.en}")
    figure = item.kpi or item.metric or item.input or ", ".join(fields_of(one, item)[:1])
    yield f"{figure}\n调整后 adjusted" if item.adjusted else figure
    target = item.target_words()
    yield escape(target.zh if target.zh == target.en else f"{target.zh}\n{target.en}")
    yield some(item.max)
    old, new = some(weights.base.get(item.id)), some(weights.worth.get(item.id))
    yield f"{old} → {new}" if weights.changed(item.id) and item.id in weights.worth else new
    rule = item.rule.words()
    yield escape(f"{rule.zh}\n{rule.en}")
    assumed = ("weight assumed",) if item.max is not None and item.max_origin == "assumed" else ()
    yield " ".join((item.rule_origin, *assumed, *item.rows, *item.readings))
