"""What a job's process does: the whole runs. Each takes its arguments as plain data and gives plain data back."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection

from scoring.cards.load import find
from scoring.cards.load import known as known_cards
from scoring.cards.model import Card
from scoring.outcomes_file import default
from scoring.period import parse_period
from scoring.reports.files import Spoken, write
from scoring.runs.canonical_json import plain
from scoring.runs.outcome_inputs import Incomplete
from scoring.runs.result import Difference
from scoring.store.audit import Actor
from scoring.store.runs import AbsentError, RunRecord, all_runs, card_of, find_run, look_up, result_of
from scoring.workflow import appeals, lifecycle
from scoring.workflow.asked import run_needs
from scoring.workflow.frozen_files import context_of
from scoring.workflow.gather import Operation, names, store
from scoring.workflow.lifecycle import columns
from scoring.workflow.preparing import Rules, prepare_run, rules_of
from scoring.workflow.preview import Preview, Sheet, preview

Told: TypeAlias = Callable[[str], None]
#: Differences that a page shows; the rest is counted.
MOST_CHANGES = 2_000


def do(
    operation: Operation,
    kind: str,
    card: str,
    period: str,
    author: str,
    arguments: Mapping[str, Any],
    folder: str | None,
    told: Told,
) -> Any:
    """Do a job of this kind. Raises ValueError and what its kinds stand for, as the commands do."""
    match kind:
        case "prepare":
            return _prepare(operation, card, period, author, arguments, told)
        case "overview":
            return _overview(operation, card, period, told)
        case "approve":
            return _approve(operation, card, period, author, arguments, told)
        case "difference":
            return _difference(operation, arguments, told)
        case "decide":
            return _decide(operation, author, arguments, told)
        case "files":
            return _files(operation, card, period, arguments, Path(str(folder)), told)
    raise ValueError(f"no job is called {kind!r}")


def card_for(connection: Connection | None, id: str) -> Card:
    """The card of this id: as it was prepared last, where it is one of the operation's own; else the one that comes with the program.
    No file is opened by what a browser sends. Raises AbsentError.
    """
    if id in known_cards():
        return find(id)
    newest = None if connection is None else max(all_runs(connection, id), key=lambda run: run.id, default=None)
    if connection is None or newest is None:
        raise AbsentError(
            f"no card {id!r} comes with the program, and none of that name was ever prepared; prepare a card of your own once with "
            "`deskpulse score prepare FILE.yaml`, and then here"
        )
    return card_of(connection, newest)


def _prepare(
    operation: Operation, card: str, period: str, author: str, arguments: Mapping[str, Any], told: Told
) -> Any:
    when, rules, own = parse_period(period), Rules(default()), None
    with store(operation) as database:
        if database.begun:
            with database.read() as connection:
                own = card_for(connection, card)
                if (run := look_up(connection, card, str(when))) is not None:
                    rules = rules_of(connection, run, default())
    own = own or card_for(None, card)
    incomplete = Incomplete(arguments["incomplete"]) if arguments.get("incomplete") else rules.incomplete
    pools = (
        {id: Decimal(amount) for id, amount in arguments["pools"].items()} if arguments.get("pools") else rules.pools
    )
    rules = Rules(rules.settings, rules.seasons, pools, incomplete)
    as_of = date.fromisoformat(arguments["as_of"]) if arguments.get("as_of") else None
    ready = prepare_run(operation, own, when, rules, author, as_of, told)
    made = ready.prepared
    return {
        **_frozen(made, made.changes, operation),
        "notes": ready.notes,
        "not_kept": ready.not_kept,
    }


def _frozen(made: lifecycle.Prepared, changes: tuple[Difference, ...], operation: Operation) -> dict[str, Any]:
    return {
        "run": made.run,
        "people": made.people,
        "new": made.new,
        "unjudged": [unjudged(one) for one in made.unjudged],
        **shown(operation, changes),
    }


def unjudged(one: Any) -> dict[str, Any]:
    """What had not matured, for a page."""
    return {
        "item": one.item,
        "name": one.name,
        "pending": one.pending,
        "of": one.of,
        "from_day": one.from_day,
    }


def shown(operation: Operation, changes: list[Difference] | tuple[Difference, ...]) -> dict[str, Any]:
    """Differences as far as a page shows them, with the names of whom they are of, and how many there are."""
    first = changes[:MOST_CHANGES]
    known = names(operation)
    people = {one.person for one in first}
    return {
        "changes": list(first),
        "changed": len(changes),
        "changed_people": len({one.person for one in changes}),
        "names": {id: {code: known.plain(id, code) for code in ("zh", "en")} for id in people if id in known},
    }


def _overview(operation: Operation, card: str, period: str, told: Told) -> Any:
    """Everything that hangs on an approval: who is missing, what is never judged, ranks and money, differences to the period before."""
    told("scoring")
    with store(operation) as database, database.read() as connection:
        seen = preview(connection, card, period)
        told("comparing")
        last, before = _before(connection, seen.run)
        frozen = card_of(connection, seen.run)
        form = {one.id: one.name for one in columns(frozen)}
        asked = run_needs(connection, seen.run)
    known = names(operation)
    rows = [_row(one, form, before.get(one.person)) for one in seen.sheets]
    for row in rows:
        if row["person"] in known:
            row["name"] = {code: known.plain(row["person"], code) for code in ("zh", "en")}
    return plain(
        {
            "run": seen.run,
            "at": operation.now(),
            "people": rows,
            "before": last,
            "unjudged": [unjudged(one) for one in seen.unjudged],
            "missing": {
                "values": sum(len(own) for own in asked.required().values()),
                "people": len(asked.required()),
            },
            "panels_open": asked.panels_open,
            "grades": _grades(seen),
            "items": {item.id: item.name for item in (*frozen.items, *frozen.optional)},
            "money": str(sum((Decimal(row["money"]) for row in rows if row["money"]), Decimal(0))),
            "paid": sum(row["money"] is not None for row in rows),
            **shown(operation, seen.changes),
        }
    )


def _before(connection: Connection, run: RunRecord) -> tuple[str | None, dict[str, tuple[str | None, str]]]:
    """The newest published period of the card before this one, and each person's total and the points that were scored in it."""
    out = [one for one in all_runs(connection, run.card) if one.published is not None and one.period < run.period]
    if not out:
        return None, {}
    last = max(out, key=lambda one: one.period)
    found = result_of(connection, last, last.published)
    return last.period, {one.person: (one.score.get("total"), one.score["scored_max"]) for one in found}


def _row(one: Sheet, form: Mapping[str, Any], before: tuple[str | None, str] | None) -> dict[str, Any]:
    outcome, score = one.outcome, one.score
    standing = outcome["standings"][0] if outcome else None
    return {
        "person": one.person,
        "team": one.team,
        "total": score.get("total"),
        "scored_max": score["scored_max"],
        "max": score["max"],
        "unscored": [
            {"id": item["id"], "name": {"zh": item["name_zh"], "en": item["name_en"]}}
            for item in score["items"]
            if item["points"] is None
        ],
        "rank": standing and standing.get("rank"),
        "of": standing and standing.get("of"),
        "grade": standing and standing.get("grade"),
        "placed": standing and standing.get("placed"),
        "top": standing and standing.get("top"),
        "bottom": standing and standing.get("bottom"),
        "money": outcome["pay"]["money"] if outcome and outcome["pay"] else None,
        "actions": [action["name"] for action in outcome["actions"]] if outcome else [],
        "awards": [award["name"] for award in outcome["awards"] if "name" in award] if outcome else [],
        "before": before and before[0],
        "before_max": before and before[1],
        "next": one.next and {"column": one.next, "name": form[one.next]},
        "signed": one.signed,
        "says": one.says,
        "changed_since": one.changed,
        "too_few": one.too_few,
    }


def _grades(seen: Preview) -> dict[str, int]:
    made: dict[str, int] = {}
    for one in seen.sheets:
        grade = one.outcome["standings"][0].get("grade") if one.outcome else None
        made[grade or ""] = made.get(grade or "", 0) + 1
    return dict(sorted(made.items(), key=lambda pair: (pair[0] == "", pair[0])))


def _approve(
    operation: Operation, card: str, period: str, author: str, arguments: Mapping[str, Any], told: Told
) -> Any:
    told("scoring")
    with store(operation) as database, database.write() as connection:
        by = Actor(author, operation.now())
        made = lifecycle.approve(connection, card, period, by, arguments.get("unreviewed"), arguments.get("despite"))
    return _frozen(made, made.changes, operation)


def _difference(operation: Operation, arguments: Mapping[str, Any], told: Told) -> Any:
    told("scoring")
    with store(operation) as database, database.read() as connection:
        made = appeals.appeal_of(connection, arguments["appeal"])
        changes = appeals.difference(connection, made, arguments["ratings"])
    return shown(operation, changes)


def _decide(operation: Operation, author: str, arguments: Mapping[str, Any], told: Told) -> Any:
    told("scoring")
    with store(operation) as database, database.write() as connection:
        by = Actor(author, operation.now())
        made, changes = appeals.decide(
            connection, arguments["appeal"], arguments["accepted"], arguments["reason"], by, arguments["ratings"]
        )
    return {"appeal": made.id, "decision": made.decision, **shown(operation, changes)}


def _files(
    operation: Operation, card: str, period: str, arguments: Mapping[str, Any], folder: Path, told: Told
) -> list[dict[str, Any]]:
    """HR's files of what was published, else of what stands now; the sheets of all people as one archive."""
    told("reading")
    with store(operation) as database, database.read() as connection:
        run: RunRecord = find_run(connection, card, period)
        number = arguments.get("revision") or run.published or run.revision
        context = context_of(operation, connection, run, number)
    told("writing")
    write(context, folder, None, None, Spoken(arguments["language"]), number)
    if arguments["sheets"]:
        told("sheets")
        _sheets(context, folder, arguments["language"])
    return [{"name": one.name, "bytes": one.stat().st_size} for one in sorted(folder.iterdir()) if one.is_file()]


def _sheets(context: Any, folder: Path, language: str) -> None:
    from scoring.reports.sheet_files import write_sheets
    from scoring.reports.sheets import LANGUAGES

    spoken = LANGUAGES if language == "both" else tuple(one for one in LANGUAGES if one == language)
    apart = folder / "sheets"
    stem = f"{context.run.card.id}-{context.run.period}-sheets"
    with zipfile.ZipFile(folder / f"{stem}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in write_sheets(context, apart, ["pdf"], spoken):
            archive.write(path, f"{stem}/{path.name}")
            path.unlink()
    apart.rmdir()
