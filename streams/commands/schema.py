"""``deskpulse schema``: every message in machines' words."""

from __future__ import annotations

from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated

import typer

from streams.commands.shared.context import clear_errors
from streams.contracts.schema import documents
from streams.languages.translation import tell


def schema(
    out: Annotated[Path, typer.Argument(help="Directory to write to; made where absent")],
) -> None:
    """Write JSON Schema of every message and the AsyncAPI 3 document."""
    with clear_errors():
        out.mkdir(parents=True, exist_ok=True)
        for name, text in documents(package_version("deskpulse")).items():
            (out / name).write_text(text, encoding="utf-8")
            tell(f"written: {out / name}")
