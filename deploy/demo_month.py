"""The demo's month: who its people are, what their superiors hand in, the month closed by the commands that HR types, and where to look.

Run as ``python -m deploy.demo_month YYYY-MM FOLDER SEED``, in the environment of the demo; files of scores go into the folder.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from streams.cli import app
from streams.contracts.outputs import RosterEntry
from streams.people.store import names
from streams.settings import Settings
from streams.sources.simulated import roster
from streams.system_clock import machine_ms
from streams.windows.clock import instant

CARD = Path(__file__).with_name("demo_card.yaml")
CARD_ID = "demo-desk"
_FAMILIES = (
    ("王", "Wang"), ("李", "Li"), ("张", "Zhang"), ("刘", "Liu"), ("陈", "Chen"), ("杨", "Yang"),
    ("赵", "Zhao"), ("黄", "Huang"), ("周", "Zhou"), ("吴", "Wu"), ("徐", "Xu"), ("孙", "Sun"),
)  # fmt: skip
_GIVEN = (("静", "Jing"), ("伟", "Wei"), ("敏", "Min"), ("强", "Qiang"), ("丽", "Li"))
#: Somebody has told customers' data twice: everything that their conduct gives is struck.
_BREACHES = {7: 2, 23: 1, 41: 1}


def on_card(entries: Iterable[RosterEntry]) -> list[RosterEntry]:
    """The roster, everybody on the demo's card."""
    return [replace(entry, card=CARD_ID) for entry in entries]


def people_csv(entries: Sequence[RosterEntry]) -> str:
    """Everybody's name, as a file of people."""
    rows = []
    for number, one in enumerate(entries):
        (family, latin), (given, called) = (
            _FAMILIES[number % len(_FAMILIES)],
            _GIVEN[number // len(_FAMILIES) % len(_GIVEN)],
        )
        rows.append((one.agent_id, one.hr_number, family + given, f"{latin} {called}"))
    return _table(("agent_id", "hr_number", "name_zh", "name_latin"), rows)


def inputs_csv(entries: Sequence[RosterEntry]) -> str:
    """What people hand in: a level, an exam, breaches of customers' privacy."""
    rows = []
    for number, one in enumerate(entries):
        rows += [
            (one.agent_id, "care", "level", 1 + number * 7 % 8 // 3),
            (one.agent_id, "exam", "value", 78 + number * 11 % 23),
            (one.agent_id, "privacy", "value", _BREACHES.get(number, 0)),
        ]
    return _table(("person", "item", "field", "value"), rows)


def _table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heading)
    writer.writerows(rows)
    return out.getvalue()


def close(month: str, folder: Path, entries: Sequence[RosterEntry], data: Path, over: bool) -> None:
    """The month from inputs to scores and their files, by the commands that people type.

    ``data``: where what is handed in is written. ``over``: is the month over, so that it can be approved and published? Raises
    RuntimeError where a command fails, with what it said.
    """
    inputs = data / "inputs.csv"
    inputs.write_text(inputs_csv(entries), encoding="utf-8")
    run, hr = (CARD, "--period", month), ("--by", "hr")
    typed("score", "import", inputs, "--card", *run, *hr)
    typed("score", "prepare", *run, *hr)
    if over:
        typed("score", "approve", *run, *hr, "--unreviewed", "nobody reviews in the demo")
        typed("score", "publish", *run, *hr)
    typed("score", "files", *run, "--out", folder, "--sheets", "html")


def story(results: dict[str, Any], called: Callable[[str], str], folder: Path, data: Path, over: bool) -> Iterator[str]:
    """What there is to see in the month, a line for each part of a score, and where to look.

    ``results``: as the file of results has them. ``called``: a person by name.
    """
    people, month = results["people"], results["period"]
    graded = Counter(one["outcome"]["grade"] or "none" for one in people)
    grades = ", ".join(f"{grade} {graded[grade]}" for grade in sorted(graded))
    state = "approved and published" if over else "prepared; it is not over, so that nobody can approve it yet"
    yield f"the month {month}: {len(people)} people, {state}; grades: {grades}"
    for what, person, item in _shown(people):
        yield f"  {what:22}{called(person['person'])}: {item}"
    sheet = folder / f"{CARD_ID}-{month}-sheets" / f"{people[0]['person']}.html"
    yield "where to look"
    yield f"  everybody, a workbook {folder / f'{CARD_ID}-{month}.xlsx'}"
    yield f"  a person's sheet      {sheet}  (one for each)"
    yield f"  the card              {CARD}"
    yield f"  who did what          DESKPULSE_DATA_DIR={data} deskpulse score audit"


def _shown(people: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Of each part of a score one person who shows it: what it is, who, and their item or outcome in words."""
    items = [(one, item) for one in people for item in one["items"]]
    parts: tuple[tuple[str, Callable[[dict[str, Any]], object]], ...] = (
        ("a matured figure", lambda item: item["id"] == "fcr" and item["points"] and item.get("pending")),
        ("a level", lambda item: item["id"] == "care" and item["points"]),
        ("a veto", lambda item: item["id"] == "privacy" and "vetoed" in item["flags"]),
        ("too few cases", lambda item: item["id"] == "csat" and "few" in item["flags"]),
    )
    for what, holds in parts:
        yield from ((what, one, item["reason_en"]) for one, item in [pair for pair in items if holds(pair[1])][:1])
    for one in [one for one in people if one["outcome"]["awards"]][:1]:
        outcome = one["outcome"]
        yield (
            "a grade and an award",
            one,
            f"{one['total']}, grade {outcome['grade']}, rank {outcome['rank']}; {', '.join(outcome['awards'])}",
        )


def typed(*words: object) -> str:
    """Type a command of ``deskpulse``; what it says. Raises RuntimeError where it fails."""
    out = io.StringIO()
    with redirect_stdout(out):
        code = app([str(word) for word in words], standalone_mode=False)
    if code:
        raise RuntimeError(f"`deskpulse {' '.join(map(str, words))}` ended with {code}:\n{out.getvalue()}")
    return out.getvalue()


def main(month: str, folder: str, seed: str) -> None:
    """Close the month of the operation that the environment names, and say what there is to see."""
    settings, out = Settings(), Path(folder)
    over = month < f"{instant(machine_ms()).astimezone(settings.policy.zone):%Y-%m}"
    close(month, out, roster(int(seed)), settings.data_dir, over)
    results = json.loads((out / f"{CARD_ID}-{month}.json").read_text(encoding="utf-8"))
    called = names(settings.database, settings.data_dir).beside
    for line in story(results, called, out, settings.data_dir, over):
        print(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
