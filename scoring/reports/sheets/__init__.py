"""The score sheet: a page a person, in Chinese and in English, as HTML and as PDF."""

from scoring.reports.sheets.context import Context, Excluded
from scoring.reports.sheets.html import to_html
from scoring.reports.sheets.labels import LANGUAGES
from scoring.reports.sheets.page import Page, pages
from scoring.reports.sheets.pdf import PdfWriter, pdfs
from streams.languages import Language

__all__ = ["LANGUAGES", "Context", "Excluded", "Language", "Page", "PdfWriter", "pages", "pdfs", "to_html"]
