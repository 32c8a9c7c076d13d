"""A run as a table on the screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from scoring.evaluation.scorer import PersonScore
from scoring.rounding import NONE, cents, shown, some
from scoring.runs.run import Run
from streams.kpi.as_of import moment_said
from streams.people.names import Names

#: Reasons why something is unscored that the screen shows; each person may have their own.
_REASONS = 30


def render(run: Run, rows: int, names: Names | None = None) -> RenderableType:
    """The first ``rows`` people, and below them what is unscored, for how many of all people, and why."""
    card = run.card
    title = (
        f"{card.name.zh} · {card.name.en}\n{card.id} v{card.version} · {run.period} · 满分 max {some(card.total.max)}"
        + ("" if run.as_of is None else f"\n截至 as of {moment_said(run.as_of)}")
    )
    table = Table(title=escape(title), box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", title_style="bold")
    table.add_column("人员\nPerson", no_wrap=True)
    table.add_column("总分\nTotal\n/ 已评满分\n/ max scored", justify="right", no_wrap=True)
    for item in run.items:
        heading = f"{item.name.zh}\n{item.name.en}\n/ {some(item.max)}"
        table.add_column(escape(heading), justify="right", overflow="fold")
    for person in run.people[:rows]:
        points = [NONE if item.points is None else cents(item.points) for item in person.items]
        table.add_row(Text((names or Names()).beside(person.person)), _total(person), *points)
    return Group(table, *(Text(line) for line in _notes(run, rows)))


def _total(person: PersonScore) -> str:
    tally = person.tally
    return NONE if tally.total is None else f"{tally.total} / {shown(tally.scored_max)}"


def _notes(run: Run, rows: int) -> Iterator[str]:
    people = len(run.people)
    if people > rows:
        yield f"… and {people - rows} more people, in the files"
    unscored = Counter((item.reason_zh, item.reason_en) for person in run.people for item in person.unscored)
    if unscored:
        yield f"{NONE} 未评分项不计 0 分，也不由其他项折算 unscored: not 0, and not made up for by the other items"
    for (zh, en), number in unscored.most_common(_REASONS):
        yield f"  {zh} {en} ({number} of {people} people)"
    if len(unscored) > _REASONS:
        yield f"  … and {len(unscored) - _REASONS} more reasons, in the files"
