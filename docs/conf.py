"""The documentation as a site: Sphinx reads the Markdown files of this repository where they lie. ``make docs`` builds it.

The files are written for a reader of the repository. Nothing in them is there for Sphinx: the navigation is made of the links of the two
index pages, so that a page which no index names is a warning, and warnings are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.search.en import SearchEnglish

ROOT = Path(__file__).parent.parent
INDEXES = ("docs/README", "docs/README.zh-CN")

project = "Deskpulse"
extensions = ["myst_parser"]
root_doc = INDEXES[0]
_PACKAGES = ("streams", "scoring", "deploy", "tests")
include_patterns = ["*.md", "docs/*.md", *(f"{each}/{deep}README.md" for each in _PACKAGES for deep in ("", "**/"))]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "Deskpulse"
html_extra_path = ["site"]
html_show_copyright = False
html_copy_source = False
html_search_language = "en-zh"


class SearchBoth(SearchEnglish):
    """English words by their stems, Chinese by every two characters that stand together.

    Nobody types Chinese with spaces, and no dictionary knows the words of this trade. Pairs need none: the pairs of what is looked for
    are pairs of the text, wherever a word begins. A pair that no page has joins two words that were typed together, and is left out.
    """

    lang = "en-zh"
    js_splitter_code = r"""
function splitQuery(query) {
  const parts = query.match(/[\u4e00-\u9fff]+|[\p{Letter}\p{Number}_]+?(?=[\u4e00-\u9fff]|[^\p{Letter}\p{Number}_]|$)/gu) || [];
  const known = (pair) => pair in Search._index.terms || pair in Search._index.titleterms;
  return parts.flatMap((part) => {
    if (!/[\u4e00-\u9fff]{3}/.test(part)) return [part];
    const pairs = [...part].slice(1).map((second, at) => part[at] + second);
    return pairs.some(known) ? pairs.filter(known) : pairs;
  });
}
"""
    _parts = re.compile(r"[\u4e00-\u9fff]+|[^\W\u4e00-\u9fff]+")

    def split(self, text: str) -> list[str]:
        """The words of a text, and of its Chinese each character and each pair."""
        return [word for part in self._parts.findall(text) for word in _words(part)]


def _words(part: str) -> Iterator[str]:
    if not "\u4e00" <= part[0] <= "\u9fff":
        yield part
        return
    yield from part
    yield from (part[at : at + 2] for at in range(len(part) - 1))


def navigation(_app: Any, name: str, source: list[str]) -> None:
    """Put the links of an index page into the site's navigation, a part for each of its sections: each index has its language's pages."""
    if name not in INDEXES:
        return
    chinese = name.endswith(".zh-CN")
    for section in source[0].split("\n## "):
        links = dict.fromkeys(re.findall(r"\]\(([\w./-]+)\.md\)", section))
        pages = [(ROOT / "docs" / link).resolve().relative_to(ROOT).as_posix() for link in links]
        own = [f"/{page}" for page in pages if page.endswith(".zh-CN") == chinese and page not in INDEXES]
        if not chinese and INDEXES[1] in pages and section.startswith("中文"):
            own.append(f"/{INDEXES[1]}")
        if own:
            caption = section.split("\n", 1)[0].removeprefix("# ")
            source[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *own, "```", ""])


def folders(_app: Any, tree: nodes.document) -> None:
    """A link to a folder is for readers of the repository: the site has no page for it, and keeps the text."""
    for node in list(tree.findall(pending_xref)):
        if node["reftype"] == "myst" and (ROOT / f"{node['refdoc']}.md").parent.joinpath(node["reftarget"]).is_dir():
            node.replace_self(node.children)


def own_language(_app: Any, name: str, _template: str, context: dict[str, Any], _tree: nodes.document | None) -> None:
    """A page says its own language, by which a browser chooses its fonts."""
    context["language"] = "zh-CN" if name.endswith(".zh-CN") else "en"


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.add_search_language(SearchBoth)
    app.connect("source-read", navigation)
    app.connect("html-page-context", own_language)
    app.connect("doctree-read", folders)
