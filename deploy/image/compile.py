"""Compile every module below a folder ahead: ``compile.py FOLDER``. The same source gives the same bytes, however often it is compiled.

``compileall`` does not: what marshal writes of two equal strings depends on who else holds them at that moment. Its second version writes
each in full; reading takes no longer that anybody would notice, as whatever names something is shared again when it is read.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

#: The last version of marshal without references.
_VERSION = 2
#: PEP 552: found by the source's hash, which nobody checks (times of files are not kept by all builders).
_UNCHECKED_HASH = 0b01


def compiled(path: Path) -> bytes | None:
    """The module's byte code, as Python keeps it; None for what is no Python of this version (templates, tests of parsers)."""
    source = path.read_bytes()
    try:
        code = SourceFileLoader("<module>", str(path)).source_to_code(source, str(path))
    except (SyntaxError, ValueError):
        return None
    head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
    return head + marshal.dumps(code, _VERSION)


def main(folder: Path) -> None:
    """Write the byte code beside each module."""
    for path in sorted(folder.rglob("*.py")):
        if (code := compiled(path)) is not None:
            target = Path(importlib.util.cache_from_source(str(path)))
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(code)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
