"""Pages as PDF, set by Typst: a compiler in one wheel, without system packages; the font is a wheel too."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from importlib.resources import as_file, files
from itertools import islice
from types import TracebackType

import pylopdf_fonts_zh_cn
import typst

from scoring.reports.sheets.page import Page

#: The family that is embedded; no system font is looked at, so that every machine gives the same bytes.
FONT = "Noto Sans SC"


class PdfWriter:
    """Sets pages; made once for many people, since loading the font takes longer than setting a page.

    A context manager: the template and font are files while it is open.
    """

    def __init__(self) -> None:
        self._template = as_file(files("scoring") / "reports" / "templates" / "sheet.typ")
        self._fonts = as_file(files(pylopdf_fonts_zh_cn))

    def __enter__(self) -> PdfWriter:
        template, fonts = self._template.__enter__(), self._fonts.__enter__()
        self._compiler = typst.Compiler(
            input=str(template),
            font_paths=typst.Fonts(font_paths=[str(fonts)], include_system_fonts=False, include_embedded_fonts=False),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fonts.__exit__(kind, error, trace)
        self._template.__exit__(kind, error, trace)

    def pdf(self, pages: Sequence[Page]) -> bytes:
        """The PDF of a person's pages. The same pages give the same bytes. Raises ValueError without a page."""
        if not pages:
            raise ValueError("a sheet has at least one page; give a language")
        data = json.dumps([asdict(page) for page in pages], ensure_ascii=False)
        made = self._compiler.compile(format="pdf", sys_inputs={"pages": data, "font": FONT}, timestamp=0)
        assert isinstance(made, bytes)  # a list of them only for pictures
        return made


#: Fewer sheets are set sooner by one process than several are ready to.
_FEW = 40
#: Sheets that are given to a process at a time.
_PORTION = 8


def pdfs(sheets: Iterable[Sequence[Page]], number: int, processes: int | None = None) -> Iterator[bytes]:
    """The PDF of each person's pages, in their order; of many, set by a process a core (``processes``)."""
    workers = min(processes or multiprocessing.cpu_count(), number // _PORTION)
    if workers < 2 or (processes is None and number < _FEW):
        with PdfWriter() as writer:
            yield from map(writer.pdf, sheets)
        return
    # Spawned, not forked: a fork copies whatever threads and connections there are.
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawned, initializer=_begin) as pool:
        waiting, left = [], iter(sheets)
        while portion := list(islice(left, _PORTION)):
            waiting.append(pool.submit(_portion, portion))
            if len(waiting) > 2 * workers:  # no more in memory than the processes have use for
                yield from waiting.pop(0).result()
        for set_now in waiting:
            yield from set_now.result()


_open = ExitStack()
_writers: list[PdfWriter] = []


def _begin() -> None:
    """A process's own writer, as long as it lives."""
    _writers.append(_open.enter_context(PdfWriter()))


def _portion(sheets: Sequence[Sequence[Page]]) -> list[bytes]:
    return [_writers[0].pdf(pages) for pages in sheets]
