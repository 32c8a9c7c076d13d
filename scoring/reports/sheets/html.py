"""Pages as HTML: one file that needs nothing else, for the screen and for paper."""

from __future__ import annotations

from collections.abc import Sequence

from scoring.reports.sheets.page import Page
from scoring.reports.templates import render


def to_html(pages: Sequence[Page]) -> bytes:
    """The file, UTF-8. The same pages give the same bytes. Raises ValueError without a page."""
    if not pages:
        raise ValueError("a sheet has at least one page; give a language")
    return render("sheet.html", pages=pages, first=pages[0]).encode()
