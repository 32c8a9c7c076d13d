"""Pages in two languages: ``NAME.zh-CN.md`` is translated from ``NAME.md`` beside it, and says from which state of it.

python -m tests.support.translations              # which pages are behind, and what differs
python -m tests.support.translations docs/hr.md   # this one is translated again: note its digest
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tests.support import ROOT

#: Written by the program, and an index of what there is: nobody translates them.
_NO_TRANSLATIONS = ("docs/kpis.zh-CN.md", "docs/README.zh-CN.md")
_MARK = re.compile(r"\n<!-- translated from (\S+) (\w+) -->\n\Z")


def translations() -> list[Path]:
    """Every translated page."""
    pages = (*ROOT.glob("*.zh-CN.md"), *ROOT.glob("docs/*.zh-CN.md"))
    return sorted(page for page in pages if page.relative_to(ROOT).as_posix() not in _NO_TRANSLATIONS)


def source_of(page: Path) -> Path:
    """The page that a translation is made from."""
    return page.with_name(page.name.replace(".zh-CN.md", ".md"))


def digest(source: Path) -> str:
    """Of the text of a page, however its lines are broken."""
    return sha256(" ".join(source.read_text(encoding="utf-8").split()).encode()).hexdigest()[:16]


def is_current(page: Path) -> bool:
    """Is a translation made from its source as that is now?"""
    mark = _MARK.search(page.read_text(encoding="utf-8"))
    return mark is not None and mark.groups() == (source_of(page).name, digest(source_of(page)))


def note(page: Path) -> None:
    """Have a translation say that it is made from its source as that is now."""
    text = _MARK.sub("\n", page.read_text(encoding="utf-8")).rstrip("\n")
    mark = f"<!-- translated from {source_of(page).name} {digest(source_of(page))} -->"
    page.write_text(f"{text}\n\n{mark}\n", encoding="utf-8")


def missing(page: Path) -> list[str]:
    """What the source has and the translation has not: code, files it leads to, figures, headings, rows of tables."""
    source, own = (each.read_text(encoding="utf-8") for each in (source_of(page), page))
    lost = [f"{kind}: {each}" for kind, each in sorted(set(_parts(source)) - set(_parts(own)))]
    for kind, pattern in (("headings", r"^#+ "), ("rows", r"^\s*\|"), ("points", r"^\s*(?:-|\d+\.) ")):
        counts = [len(re.findall(pattern, text, re.MULTILINE)) for text in (source, own)]
        if counts[0] != counts[1]:
            lost.append(f"{kind}: {counts[0]} and not {counts[1]}")
    return lost


def _parts(text: str) -> Iterator[tuple[str, str]]:
    prose, fenced, before = [], False, ""
    for line in _MARK.sub("\n", text).splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or (line.startswith("    ") and (not before or before.startswith("    "))):
            if command := re.split(r"(?:^|\s)#\s", line)[0].strip():
                yield "code", command
        else:
            prose.append(line)
        before = line
    # Code may go on in the next line.
    text = re.sub(r"(?<=\S)\n *(?=\S)", " ", "\n".join(prose))
    for code in re.findall(r"`([^`]+)`", text):
        yield "code", code
    text = re.sub(r"`[^`]+`", "", text)
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        yield "link", link.replace(".zh-CN", "")
    for figure in re.findall(r"\d[\d,.]*\d|\d", re.sub(r"\]\([^)]*\)", "", text)):
        yield "figure", figure


def main() -> None:
    """Note the digests of the pages named, or say what is behind."""
    for name in sys.argv[1:]:
        source = Path(name.replace(".zh-CN.md", ".md"))
        note(source.with_name(f"{source.stem}.zh-CN.md"))
    for page in translations():
        state = "current" if is_current(page) else "BEHIND"
        print(f"{state:8} {page.relative_to(ROOT)}", *(f"\n         missing {each}" for each in missing(page)), sep="")


if __name__ == "__main__":
    main()
