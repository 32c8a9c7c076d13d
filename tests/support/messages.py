"""What the source says to people: why it refuses what they give, and what it has done; the texts read from the source itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

#: Calls whose texts people read.
_TELLING = {"_fault", "append", "stop", "tell", "said", "confirm", "bad_value", "BadParameter"}
_CJK = re.compile("[\u4e00-\u9fff]")


def templates(paths: Iterable[Path]) -> Iterator[str]:
    """The English texts of these modules, ``{}`` for each value in them."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for told in _told(node):
                for text in _texts(told):
                    if " " in text and not _CJK.search(text) and re.search("[a-z]{2} ", text):
                        yield text


def plain(template: str) -> str:
    """A template without the names of its values."""
    return re.sub(r"\{[^{}]*\}", "{}", template)


def _told(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Raise(exc=ast.Call(args=args)):
            yield from args
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=args) if name in _TELLING:
            yield from args
        case ast.Yield(value=ast.Tuple(elts=parts)):
            yield from parts
        case ast.Yield(value=ast.expr() as value):
            yield value
        case ast.AugAssign(value=ast.ListComp(elt=told)) | ast.AugAssign(value=ast.List(elts=[told])):
            yield told


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one)
            yield from _texts(other)
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
