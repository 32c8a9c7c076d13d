"""Begins a KPI: writes its entry in the catalogue, its worked example, a hand-made case and its reference, each with what is to be filled in.

``make new-kpi NAME=callback_rate AREA=calls``. Until all of it is filled in, ``tests/contract/test_kpi_catalogue.py`` fails and says where.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from streams.kpi.catalog import AREAS, KPIS
from tests.support import ROOT

#: What a test finds until somebody has written something better.
MARK = "FILL IN"
_REFERENCE = Path("tests/reference/kpis.py")
_END = "  # fmt: skip\n"

_ENTRY = f'''    Kpi(
        id="{{name}}", zh="{MARK}: its name in Chinese", en="{MARK}: its name", unit="ratio", better="higher",
        formula=share(of="calls_answered", among="calls_offered"),  # {MARK}: see streams/kpi/notation.py; its unit above
        formula_zh="{MARK}: the formula in Chinese", formula_en="{MARK}: the formula in words",
        needs=("call.queued", "call.answered"),  # {MARK}: the events that it is made of
        policy_fields=(),  # {MARK}: what people argue about, or take this out
        traps="{MARK}: what it is mistaken for, and whom it is credited to",
        traps_zh="{MARK}: the same in Chinese",
    ),
'''
_EXAMPLE = f"""- kpi: {{name}}
  zh: "{MARK}: what happens, in Chinese"
  en: "{MARK}: what happens"
  events:
    - 09:00:00 c1 call.queued queue=sales  # {MARK}: a few events that give a figure
  expect:
    - {{{{value: 0, n: 1}}}}  # {MARK}: the figure by hand; of an agent, too
"""
_CASE = f"""- name: "{{name}}: {MARK}: the usual case, then one for each trap"
  events: ["09:00:00 call c1 queued queue=q"]
  expect: {{{{all: {{{{{{name}}: 0/1}}}}}}}}
"""
_RULE = f"""    "{{name}}": lambda s: share(s.of("offer", answered=True), s.of("offer")),  # {MARK}: from things, in words of its own
"""


def begin(root: Path, name: str, area: str) -> list[Path]:
    """Write into the four files; gives their paths from ``root``. Raises ValueError for a name or an area that cannot be."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise ValueError(f"{name!r} is no id: write it like callback_rate, in small letters and digits with _ between")
    if name in KPIS:
        raise ValueError(f"there is a KPI {name!r} already; take another name, or change that one")
    if area not in AREAS:
        raise ValueError(f"no area is called {area!r}; there are {', '.join(AREAS)}")
    catalog = Path(f"streams/kpi/catalog/{area}.py")
    example, case = Path(f"streams/kpi/examples/{area}.yaml"), Path(f"tests/acceptance/cases/{area}.yaml")
    _write(root / catalog, lambda text: _imported(_before_end(text, ")", _ENTRY.format(name=name))))
    _write(root / example, lambda text: text + _EXAMPLE.format(name=name))
    _write(root / case, lambda text: text + _CASE.format(name=name))
    _write(root / _REFERENCE, lambda text: _before_end(text, "}", _RULE.format(name=name)))
    return [catalog, example, case, _REFERENCE]


def left(root: Path) -> Iterator[str]:
    """What is still to be filled in: ``streams/kpi/catalog/calls.py:188: FILL IN: its name in Chinese``."""
    folders = ("streams/kpi/catalog", "streams/kpi/examples", "tests/acceptance/cases")
    for path in [*(path for folder in folders for path in sorted((root / folder).glob("*.[py]*"))), root / _REFERENCE]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for found in re.findall(rf"{MARK}: [^\"]+", line):
                yield f"{path.relative_to(root)}:{number}: {found}"


def main(argv: list[str] | None = None) -> int:
    """Exit code 2 for a name or an area that cannot be."""
    parser = argparse.ArgumentParser(prog="make new-kpi NAME=… AREA=…", description=__doc__)
    parser.add_argument("name", help="its id, such as callback_rate")
    parser.add_argument("area", help=f"the part of the catalogue: {', '.join(AREAS)}")
    given = parser.parse_args(argv)
    try:
        begin(ROOT, given.name, given.area)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(*left(ROOT), sep="\n")
    print(
        "\nFill these in; if no measure has its sums, docs/recipes.md says how to make one. Then `make generated` and `make fast`."
    )
    return 0


def _write(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")


def _before_end(text: str, bracket: str, entry: str) -> str:
    """The entry as the last one of the collection that the file ends with."""
    end = f"{bracket}{_END}"
    assert text.endswith(end), f"the file does not end with {end!r}"
    return text.removesuffix(end) + entry + end


def _imported(text: str) -> str:
    """``share`` is among what the file has of the notation."""

    def with_share(line: re.Match[str]) -> str:
        names = {*line[1].split(", "), "share"}
        return (
            f"from streams.kpi.notation import {', '.join(sorted(names, key=lambda name: (not name.isupper(), name)))}"
        )

    return re.sub(r"from streams\.kpi\.notation import (.+)", with_share, text)


if __name__ == "__main__":
    sys.exit(main())
