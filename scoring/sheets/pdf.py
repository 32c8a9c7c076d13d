"""Pages as PDF, set by Typst: a compiler in one wheel, without system packages; the font is a wheel too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import as_file, files
from types import TracebackType

import pylopdf_fonts_zh_cn
import typst

from scoring.sheets.page import Page

#: The family that is embedded; no system font is looked at, so that every machine gives the same bytes.
FONT = "Noto Sans SC"


class PdfWriter:
    """Sets pages; made once for many people, since loading the font takes longer than setting a page.

    A context manager: the template and font are files while it is open.
    """

    def __init__(self) -> None:
        self._template = as_file(files("scoring") / "templates" / "sheet.typ")
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
