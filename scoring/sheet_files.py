"""Everybody's sheet as a file of his own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

from scoring.sheets import Context, Language, PdfWriter, pages, to_html

SheetFormat: TypeAlias = Literal["pdf", "html"]
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
#: Bytes that a file name may have with its ending; file systems allow 255.
_LONGEST = 200


def write_sheets(
    context: Context, folder: Path, formats: Sequence[SheetFormat], languages: Sequence[Language]
) -> Iterable[Path]:
    """Write a file a person and format into the folder, made where absent; gives each path once it is written.

    Raises OSError where that cannot be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        writer = opened.enter_context(PdfWriter()) if "pdf" in formats else None
        for person, name in file_names(context.scores).items():
            made = pages(context, person, languages)
            if writer is not None:
                yield _written(folder / f"{name}.pdf", writer.pdf(made))
            if "html" in formats:
                yield _written(folder / f"{name}.html", to_html(made))


def file_names(people: Iterable[str]) -> dict[str, str]:
    """Person → a file name of his own: the id, where every file system takes it and nobody's differs by case only.

    Else what is forbidden is replaced, and a mark of the id added.
    """
    ids = list(people)
    alike = Counter(id.casefold() for id in ids)
    return {id: id if _plain(id) and alike[id.casefold()] == 1 else _marked(id) for id in ids}


def _plain(id: str) -> bool:
    return not _FORBIDDEN.search(id) and id == id.strip(". ") != "" and len(id.encode()) <= _LONGEST


def _marked(id: str) -> str:
    short = _FORBIDDEN.sub("_", id).strip(". ").encode()[: _LONGEST - 9].decode(errors="ignore")
    return f"{short}-{sha256(id.encode()).hexdigest()[:8]}"


def _written(path: Path, data: bytes) -> Path:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)  # so that nobody reads half a file
    return path
