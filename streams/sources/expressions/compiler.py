"""Parsed expressions compiled, once, into closures that compute them for a row."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from streams.sources.expressions.operators import add, divide, equal, multiply, ordered, subtract, truth
from streams.sources.expressions.parser import Expression, ExpressionError

#: A row while it is read: its cells as texts, then a slot for each name that the mapping binds; or a record, by the names of its fields.
Row: TypeAlias = list[Any] | dict[Any, Any]
Compute: TypeAlias = Callable[[Row], Any]


_LITERALS = {"true": True, "false": False, "none": None, "null": None}
#: Functions of the language itself: a column by its name; the first of several that is there, the rest not computed.
_SPECIAL = frozenset({"col", "coalesce"})


@dataclass(frozen=True)
class Scope:
    """What an expression may speak of: names the mapping binds, columns by position in the row, functions."""

    names: Mapping[str, Compute]
    columns: Mapping[str, int]
    functions: Mapping[str, Callable[..., Any]]


def compiled(expression: Expression, scope: Scope) -> Compute:
    """The closure that computes the expression for a row.

    Raises ExpressionError for a name, column or function that the scope does not have. The closure raises ValueError or
    TypeError for a row whose cells do not fit.
    """
    return _COMPILERS[type(expression.tree)](expression.tree, scope)


def _compile(node: ast.expr, scope: Scope) -> Compute:
    return _COMPILERS[type(node)](node, scope)


def _constant(node: ast.Constant, scope: Scope) -> Compute:
    value = node.value
    return lambda row: value


def _name(node: ast.Name, scope: Scope) -> Compute:
    if node.id.lower() in _LITERALS:
        value = _LITERALS[node.id.lower()]
        return lambda row: value
    if node.id in scope.names:
        return scope.names[node.id]
    if node.id in scope.columns:
        return operator.itemgetter(scope.columns[node.id])
    if twice := _numbered(node.id, scope):
        raise ExpressionError(twice)
    if node.id in scope.functions or node.id in _SPECIAL:
        raise ExpressionError(f"{node.id} is a function: write {node.id}(…)")
    raise ExpressionError(f"nothing is called {node.id!r}: {_known(scope)}")


def _numbered(name: str, scope: Scope) -> str:
    """What to write for a name that several columns have; "" where they do not."""
    alike = [f'col("{column}")' for column in scope.columns if column.rpartition("#")[0] == name]
    return f"{len(alike)} columns are called {name!r}: write {' or '.join(alike)}" if alike else ""


def _known(scope: Scope) -> str:
    bound = f"bound names: {', '.join(sorted(scope.names)) or 'none'}"
    return f"{bound}; columns: {', '.join(scope.columns) or 'none'}"


def _call(node: ast.Call, scope: Scope) -> Compute:
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    if name == "col":
        assert isinstance(node.args[0], ast.Constant)
        return _column(str(node.args[0].value), scope)
    arguments = [_compile(argument, scope) for argument in node.args]
    if name == "coalesce":
        return _coalesce(arguments)
    if name not in scope.functions:
        raise ExpressionError(f"no function {name!r}; there are {', '.join(sorted(_SPECIAL | scope.functions.keys()))}")
    function = scope.functions[name]
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise ExpressionError(f"{name}(…): {error}; it takes {_parameters(function)}") from error
    match arguments:
        case [a]:
            return lambda row: function(a(row))
        case [a, b]:
            return lambda row: function(a(row), b(row))
    return lambda row: function(*[argument(row) for argument in arguments])


def _column(name: str, scope: Scope) -> Compute:
    if name in scope.columns:
        return operator.itemgetter(scope.columns[name])
    there = ", ".join(scope.columns) or "none"
    raise ExpressionError(_numbered(name, scope) or f"the table has no column {name!r}; it has {there}")


def _parameters(function: Callable[..., Any]) -> str:
    return ", ".join(map(str, inspect.signature(function).parameters)) or "nothing"


def _coalesce(arguments: list[Compute]) -> Compute:
    def first_there(row: Row) -> Any:
        for argument in arguments:
            value = argument(row)
            if value is not None and value != "":
                return value
        return None

    return first_there


def _if(node: ast.IfExp, scope: Scope) -> Compute:
    test, then, other = (_compile(part, scope) for part in (node.test, node.body, node.orelse))
    return lambda row: then(row) if truth(test(row)) else other(row)


def _boolean(node: ast.BoolOp, scope: Scope) -> Compute:
    parts = [_compile(value, scope) for value in node.values]
    if isinstance(node.op, ast.And):
        return lambda row: all(truth(part(row)) for part in parts)
    return lambda row: any(truth(part(row)) for part in parts)


def _sign(node: ast.UnaryOp, scope: Scope) -> Compute:
    operand = _compile(node.operand, scope)
    if isinstance(node.op, ast.Not):
        return lambda row: not truth(operand(row))
    return lambda row: subtract(0, operand(row))


def _arithmetic(node: ast.BinOp, scope: Scope) -> Compute:
    left, right, act = _compile(node.left, scope), _compile(node.right, scope), _ARITHMETIC[type(node.op)]
    return lambda row: act(left(row), right(row))


def _compare(node: ast.Compare, scope: Scope) -> Compute:
    if any(isinstance(op, ast.In | ast.NotIn) for op in node.ops[:-1]):
        raise ExpressionError(f"`{ast.unparse(node)}`: put what is compared after `in (…)` in brackets of its own")
    left = _compile(node.left, scope)
    steps = [_step(op, right, scope) for op, right in zip(node.ops, node.comparators, strict=True)]
    if len(steps) == 1:
        step = steps[0]
        return lambda row: step(left(row), row)[0]

    def chained(row: Row) -> bool:
        # Each side is computed once: comparisons in comparisons would else double the work with every level.
        value = left(row)
        for step in steps:
            holds, value = step(value, row)
            if not holds:
                return False
        return True

    return chained


def _step(op: ast.cmpop, node: ast.expr, scope: Scope) -> Callable[[Any, Row], tuple[bool, Any]]:
    """One comparison: from its left value, whether it holds, and the value of its right side."""
    if isinstance(op, ast.Is):
        return lambda left, row: (left is None, None)
    if isinstance(op, ast.IsNot):
        return lambda left, row: (left is not None, None)
    if isinstance(op, ast.In | ast.NotIn):
        assert isinstance(node, ast.Tuple | ast.List)
        choices, wanted = [_compile(choice, scope) for choice in node.elts], isinstance(op, ast.In)
        return lambda left, row: (any(equal(left, choice(row)) for choice in choices) is wanted, None)
    right = _compile(node, scope)
    if isinstance(op, ast.Eq | ast.NotEq):
        same = isinstance(op, ast.Eq)

        def equality(left: Any, row: Row) -> tuple[bool, Any]:
            value = right(row)
            return equal(left, value) is same, value

        return equality
    order, sign = _ORDER[type(op)]

    def ordering(left: Any, row: Row) -> tuple[bool, Any]:
        value = right(row)
        return ordered(order, sign, left, value), value

    return ordering


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: add,
    ast.Sub: subtract,
    ast.Mult: multiply,
    ast.Div: divide,
}
_ORDER: dict[type[ast.cmpop], tuple[Callable[[Any, Any], Any], str]] = {
    ast.Lt: (operator.lt, "<"),
    ast.LtE: (operator.le, "<="),
    ast.Gt: (operator.gt, ">"),
    ast.GtE: (operator.ge, ">="),
}
#: How each kind of node that ``expressions`` allows is compiled.
_COMPILERS: dict[type[ast.expr], Callable[[Any, Scope], Compute]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Call: _call,
    ast.IfExp: _if,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _sign,
    ast.BinOp: _arithmetic,
    ast.Compare: _compare,
}
