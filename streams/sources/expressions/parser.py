"""The small language of mapping files: one expression over a row's cells, parsed and found harmless.

It is a part of Python's own syntax: parsed by ``ast`` and walked against a list of what is allowed, never evaluated by
Python. There are literals, names, ``col("a column")``, calls of listed functions, comparisons, ``and``/``or``/``not``,
``+ - * /``, ``in`` and ``a if condition else b``. Nothing else: no attributes, no subscripts, no keywords, no imports.

Values are texts, numbers, moments (aware datetimes), dates, true/false, and None for "nothing there". Nothing is
guessed:

- a condition is true or false; a text or number in its place is an error;
- only like is compared with like (``"0" == 0`` is an error, not false); None equals None only;
- durations and times of day are seconds: moment + seconds is a moment, moment - moment is seconds;
- arithmetic with None is an error.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property

MAX_LENGTH = 2000
#: Levels of an expression, and with all names under ``let`` that it goes back to: they are computed inside each other.
MAX_DEPTH, MAX_DEPTH_WITH_NAMES = 100, 200
_LARGEST = 10**18
#: Everything the language has; any other kind of node is refused.
_ALLOWED = (ast.Constant, ast.Name, ast.Call, ast.IfExp, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare)
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)


class ExpressionError(ValueError):
    """An expression that is not in the language; says where in it and what to write instead."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression; ``names`` are the bare names in it, ``functions`` the functions it calls."""

    text: str
    tree: ast.expr
    names: frozenset[str]
    functions: frozenset[str]

    @cached_property
    def levels(self) -> int:
        """How many levels of operators and calls stand inside each other in it; a bare name or value is one."""
        return _levels(self.tree)


def parse(text: str | int | float | None) -> Expression:
    """Parse an expression; a number, true, false or nothing as YAML gives them stands for itself.

    Raises ExpressionError where it is not in the language.
    """
    source = text if isinstance(text, str) else repr(text)
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters: bind parts of it to names under `let`")
    try:
        tree = ast.parse(source.strip(), mode="eval").body
        functions = frozenset(_check(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ExpressionError):
            raise
        why = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ExpressionError(f"{source!r} is no expression: {why}") from error
    return Expression(source, tree, _names(tree), functions)


def _names(tree: ast.expr) -> frozenset[str]:
    """The names that are values, not functions."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called)


def _check(node: ast.expr, depth: int = 0) -> set[str]:
    """Refuse what is not in the language; returns the functions called."""
    if depth > MAX_DEPTH:
        raise ExpressionError("nested too deeply: bind parts of it to names under `let`")
    if why := _refused(node):
        raise ExpressionError(why)
    match node:
        case ast.Call(func=ast.Name(id=name), args=parts):
            own = {name}
        case ast.Compare():
            own, parts = set(), _compared(node)
        case _:
            own, parts = set(), [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    return own.union(*(_check(part, depth + 1) for part in parts))


def _refused(node: ast.expr) -> str | None:  # noqa: PLR0911 - a reason each
    """Why an expression is not in the language, its parts aside; None: it is."""
    match node:
        case ast.Constant(value=None | str() | bool() | float()):
            return None
        case ast.Constant(value=int() as value):
            return f"a number beyond ±{_LARGEST:g}: write it as a text, in quotes" if abs(value) > _LARGEST else None
        case ast.Constant():
            return f"`{ast.unparse(node)}`: only texts, numbers, true, false and None"
        case ast.Call(func=ast.Name(id="col"), args=args, keywords=[]):
            return None if _is_one_text(args) else 'write col("name of the column")'
        case ast.Call() if not isinstance(node.func, ast.Name) or node.keywords:
            return f"`{ast.unparse(node)}`: call a function by its name, with its values in order"
        case ast.BinOp(op=op) if not isinstance(op, _ARITHMETIC):
            return f"`{ast.unparse(node)}`: of arithmetic there is + - * /"
        case ast.UnaryOp(op=op) if not isinstance(op, ast.Not | ast.USub):
            return f"`{ast.unparse(node)}`: of signs there is - and not"
    return None if isinstance(node, _ALLOWED) else f"`{ast.unparse(node)}` is not allowed here"


def _levels(node: ast.AST) -> int:
    return 1 + max((_levels(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)), default=0)


def _compared(node: ast.Compare) -> list[ast.expr]:
    """What a comparison holds against each other; of an ``in`` its choices. Raises ExpressionError where it is none of ours."""
    made = [node.left]
    for relation, other in zip(node.ops, node.comparators, strict=True):
        if isinstance(relation, ast.Is | ast.IsNot) and not _is_none(other):
            raise ExpressionError(f"`{ast.unparse(node)}`: `is` is for None only; compare with ==")
        if not isinstance(relation, ast.In | ast.NotIn):
            made.append(other)
        elif isinstance(other, ast.Tuple | ast.List):
            made += other.elts
        else:
            raise ExpressionError(f'`{ast.unparse(node)}`: write what follows `in` as a list: x in ("a", "b")')
    return made


def _is_one_text(args: list[ast.expr]) -> bool:
    return len(args) == 1 and isinstance(args[0], ast.Constant) and isinstance(args[0].value, str)


def _is_none(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and node.value is None) or (
        isinstance(node, ast.Name) and node.id in ("none", "null")
    )
