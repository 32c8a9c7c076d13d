"""The score sheet: a page a person, in Chinese and in English, as HTML and as PDF."""

from scoring.sheets.context import Context, Excluded
from scoring.sheets.html import to_html
from scoring.sheets.page import Page, pages
from scoring.sheets.pdf import PdfWriter, pdfs
from scoring.sheets.words import LANGUAGES, Language

__all__ = ["LANGUAGES", "Context", "Excluded", "Language", "Page", "PdfWriter", "pages", "pdfs", "to_html"]
