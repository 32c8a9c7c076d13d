"""Files that commands read: tables by a mapping, or another system's records as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import table_reader
from streams.sources.table.rows import Reader
from streams.sources.vendors.reader import Vendor, record_reader

Files = Annotated[list[Path], typer.Argument(help="Tables (CSV, TSV, XLSX) or records (JSON), also .gz")]
Mapping = Annotated[
    Path | None, typer.Option("--mapping", "-m", help="The files are tables: their mapping file (YAML)")
]
System = Annotated[
    Vendor | None,
    typer.Option(
        "--system",
        help="The files are this system's own records: JSON lines or documents; deskpulse: events of the contracts",
    ),
]


def reader(mapping: Path | None, system: Vendor | None) -> Reader:
    """How the files are read. Raises ValueError where both are given, or neither, or the mapping is wrong."""
    if mapping is not None and system is None:
        return table_reader(load_mapping(mapping))
    if system is not None and mapping is None:
        return record_reader(system)
    raise ValueError(f"say what the files are: --mapping FILE for tables, or --system {'|'.join(Vendor)} for records")
