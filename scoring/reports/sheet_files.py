"""Everybody's sheet as a file of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

from scoring.reports.sheets import Context, Language, pages, pdfs, to_html

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
    names = file_names(context.scores)
    if "html" in formats:
        for person, name in names.items():
            yield _written(folder / f"{name}.html", to_html(pages(context, person, languages)))
    if "pdf" in formats:
        sheets = (pages(context, person, languages) for person in names)
        for name, body in zip(names.values(), pdfs(sheets, len(names)), strict=True):
            yield _written(folder / f"{name}.pdf", body)


def file_names(people: Iterable[str]) -> dict[str, str]:
    """Person → a file name of their own: the id, where every file system takes it and nobody's differs by case only.

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
