"""The files of a run: workbook, CSV, JSON, and a sheet a person; the same whether a month is tried or was frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from rich.console import Console
from rich.progress import track

from scoring.reports.csv_report import to_csv
from scoring.reports.json_report import json_parts
from scoring.reports.sheet_files import write_sheets
from scoring.reports.sheets import LANGUAGES, Context, Language
from scoring.reports.workbook.summary import to_xlsx
from streams.languages.translation import tell


class Format(StrEnum):
    """A file format."""

    xlsx = "xlsx"
    csv = "csv"
    json = "json"


class Sheets(StrEnum):
    """A file format of the sheets."""

    pdf = "pdf"
    html = "html"


class Spoken(StrEnum):
    """Languages of the sheets and of the workbook."""

    zh = "zh"
    en = "en"
    both = "both"


#: A context, the languages and the revision → the file. Programs read JSON: it has ids, and no names.
_Writer = Callable[[Context, tuple[Language, ...], int], Iterable[bytes]]
_WRITERS: Mapping[Format, _Writer] = {
    Format.xlsx: lambda of, spoken, _: (to_xlsx(of, spoken),),
    Format.csv: lambda of, *_: (to_csv(of.run, of.outcomes, of.names),),
    Format.json: lambda of, _, revision: json_parts(of.run, of.outcomes, of.roster, revision),
}


def write(
    context: Context,
    out: Path,
    formats: Sequence[Format] | None,
    sheets: Sequence[Sheets] | None,
    language: Spoken,
    revision: int = 1,
) -> None:
    """Write the files (all formats where none is named) and tell their names. Raises ValueError where that cannot be."""
    run = context.run
    spoken = LANGUAGES if language is Spoken.both else tuple(one for one in LANGUAGES if one == language)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for form in dict.fromkeys(formats or Format):
            path = out / f"{run.card.id}-{run.period}.{form}"
            _whole(path, _WRITERS[form](context, spoken, revision))
            tell(f"written: {path}")
        if sheets:
            folder = out / f"{run.card.id}-{run.period}-sheets"
            made = write_sheets(context, folder, [one.value for one in sheets], spoken)
            number = sum(1 for _ in _told(made, len(run.people) * len(set(sheets))))
            tell(f"written: {number} sheets in {folder}")
    except OSError as error:
        raise ValueError(f"cannot write to {out}: {error}; choose another directory with --out") from error


def _whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write the file so that nobody reads half of it."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.writelines(parts)
    part.replace(path)


def _told(paths: Iterable[Path], number: int) -> Iterator[Path]:
    """The files as they are made, with a bar on a terminal."""
    console = Console(stderr=True)
    yield from track(
        paths, "绩效考核表 sheets", total=number, console=console, transient=True, disable=not console.is_terminal
    )
