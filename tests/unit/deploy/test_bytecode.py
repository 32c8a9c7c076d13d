"""The image's byte code is the same from the same source, whatever else the process that wrote it holds."""

from __future__ import annotations

import importlib.util
import marshal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import ROOT

SOURCE = '''
"""A module."""
NAMES = ("one", "two words", "two words", 3, 1.5, None, frozenset({"a", "b", None}))

class Kind:
    """Of something."""
    held = "two words"

    def told(self, name, *, other="one"):
        def within():
            return name, other, {"a", "two words"} & NAMES[-1]
        return [within() for _ in range(3)]
'''


@pytest.fixture
def bytecode() -> ModuleType:
    # A file beside the Dockerfile, which is started by itself.
    spec = importlib.util.spec_from_file_location("bytecode", ROOT / "deploy" / "image" / "bytecode.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compiled() -> bytes:
    return b"\0" * 16 + marshal.dumps(compile(SOURCE, "/opt/module.py", "exec"))


def test_it_means_the_same_and_is_written_once(bytecode: ModuleType) -> None:
    settled = bytecode.settled(compiled())
    assert bytecode.settled(settled) == settled
    space: dict[str, object] = {}
    exec(marshal.loads(settled[16:]), space)
    kind = space["Kind"]
    assert kind().told("x")[0] == ("x", "one", {"a"})  # type: ignore[operator]
    assert marshal.loads(settled[16:]) == marshal.loads(compiled()[16:])


def test_who_else_holds_its_parts_does_not_show(bytecode: ModuleType) -> None:
    alone = marshal.dumps(marshal.loads(compiled()[16:]))
    code = marshal.loads(compiled()[16:])
    held = list(parts(code))
    shared = marshal.dumps(code)
    assert len(held) > 20
    assert alone != shared  # as Python writes it
    assert bytecode.settled(b"\0" * 16 + alone) == bytecode.settled(b"\0" * 16 + shared)


def parts(value: object) -> Iterator[object]:
    yield value
    for part in getattr(value, "co_consts", value if isinstance(value, tuple | frozenset) else ()):
        yield from parts(part)


def test_every_file_of_a_directory_is_written_anew(bytecode: ModuleType, tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / name / "__pycache__"
        folder.mkdir(parents=True)
        (folder / "module.pyc").write_bytes(compiled())
    assert bytecode.main(tmp_path) == 2
    one, other = (path.read_bytes() for path in tmp_path.rglob("*.pyc"))
    assert one == other == bytecode.settled(compiled())
    assert sys.version_info >= (3, 11)  # co_qualname
