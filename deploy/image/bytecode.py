"""Write Python's byte code under a directory anew, so that the same source gives the same bytes: ``python bytecode.py DIRECTORY``.

Byte code says of each string whether something later in the file refers back to it, and Python takes that from how many hold the string in
the whole process at that moment: from chance. Here each is held once more, so each may be referred to, whoever else holds it.
"""

from __future__ import annotations

import marshal
import sys
from pathlib import Path
from types import CodeType
from typing import Any

#: Magic number, flags, and the hash of the source.
_HEAD = 16


def settled(compiled: bytes) -> bytes:
    """The content of a ``.pyc``, with the same meaning, free of chance."""
    code = marshal.loads(compiled[_HEAD:])
    held: list[Any] = []
    _hold(code, held)
    return compiled[:_HEAD] + marshal.dumps(code)


def _hold(value: Any, held: list[Any]) -> None:
    held.append(value)
    if isinstance(value, CodeType):
        for part in (value.co_consts, value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars):
            _hold(part, held)
        held += [value.co_name, value.co_qualname, value.co_filename]
    elif isinstance(value, tuple | frozenset):
        for part in value:
            _hold(part, held)


def main(directory: Path) -> int:
    """Write all of them; returns how many."""
    paths = sorted(directory.rglob("*.pyc"))
    for path in paths:
        path.write_bytes(settled(path.read_bytes()))
    return len(paths)


if __name__ == "__main__":
    print(f"{main(Path(sys.argv[1]))} files of byte code written anew")
