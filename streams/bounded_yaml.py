"""YAML of people's files, with bounds: a page of text must not unfold into gigabytes, nor keep the reader for hours.

A text of more than ``MOST_CHARACTERS`` is refused before it is read; more than ``MOST_DEPTH`` levels, or more than ``MOST_NODES``
entries, each alias counted as all that it stands for, before anything is made of it.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, Protocol

import yaml

#: Characters of a file. The largest card that comes with the program has some 30,000.
MOST_CHARACTERS = 1_000_000
#: Lists and mappings inside each other.
MOST_DEPTH = 40
#: Scalars, lists and mappings, aliases unfolded.
MOST_NODES = 50_000
#: Digits of a number: YAML's 1:30:00 is one, and the time to read it grows with the square of its length.
_MOST_DIGITS = 100
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class YamlError(ValueError):
    """A text that is no YAML, or larger than any file of people is. ``line``: where (the first is 1); None: nowhere in particular."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.problem = problem
        self.line = line


class Readable(Protocol):
    """A file: ``pathlib.Path``, or one inside a package."""

    def read_text(self, encoding: str | None = None) -> str:
        """Its text."""
        ...


def load(text: str) -> Any:
    """What the text says, as ``yaml.safe_load`` gives it. Raises YamlError."""
    return composed(text)[1]


def load_file(path: Readable) -> Any:
    """What the file says. Raises YamlError; OSError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise YamlError(f"it is not UTF-8 ({error.reason} at byte {error.start}); save it in UTF-8") from error
    return load(text)


def load_named(path: Readable, what: str) -> Any:
    """What the file of ``what`` (``the policy``) says. Raises ValueError that names it where it cannot be read or is no YAML."""
    try:
        return load_file(path)
    except (OSError, YamlError) as error:
        raise ValueError(f"cannot read {what} {path}: {error}") from error


def composed(text: str) -> tuple[yaml.Node | None, Any]:
    """The text's nodes, which know their lines, and what it says. Raises YamlError."""
    if len(text) > MOST_CHARACTERS:
        raise YamlError(f"{len(text)} characters, at most {MOST_CHARACTERS} are read; split it")
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return None, None
        _measured(root, {}, 0)
        return root, loader.construct_document(root)
    except yaml.YAMLError as bad:
        mark = getattr(bad, "problem_mark", None)
        raise YamlError(getattr(bad, "problem", None) or str(bad), mark and mark.line + 1) from bad
    except RecursionError as bad:
        raise YamlError(_TOO_DEEP) from bad
    except (ValueError, OverflowError) as bad:  # what looks like a date or a number and is none
        if isinstance(bad, YamlError):
            raise
        raise YamlError(str(bad)) from bad


class _Loader(yaml.SafeLoader):
    """Stops as soon as it has read more than is allowed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise YamlError(_TOO_MANY, self.line + 1)
        return super().compose_node(parent, index)

    def finite(self, node: yaml.ScalarNode) -> float:
        """A number. Raises YamlError for .inf, .nan and what is too large for one: nothing that people set is without end."""
        if not isfinite(value := self.construct_yaml_float(node)):
            raise YamlError(f"{node.value} is no number that can be reckoned with", node.start_mark.line + 1)
        return value

    def whole(self, node: yaml.ScalarNode) -> str:
        """A text. Raises YamlError for one that escapes half a character (a lone surrogate): nothing can write it."""
        text: str = self.construct_yaml_str(node)
        try:
            text.encode()
        except UnicodeEncodeError as bad:
            raise YamlError("half a character (a lone surrogate) in a text", node.start_mark.line + 1) from bad
        return text


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.finite)
_Loader.add_constructor("tag:yaml.org,2002:str", _Loader.whole)


_TOO_MANY = f"more than {MOST_NODES} entries, aliases unfolded; split it"
_TOO_DEEP = f"more than {MOST_DEPTH} lists and mappings inside each other; write it flatter"


def _once(node: yaml.MappingNode) -> None:
    """Raise YamlError where a key stands twice: the reader would take the last without a word."""
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise YamlError(f"{key.value!r} stands here twice; keep one", key.start_mark.line + 1)
            seen.add(key.value)


def _measured(node: yaml.Node, known: dict[int, tuple[int, int] | None], above: int) -> tuple[int, int]:  # noqa: C901 - one walk counts the nodes and refuses what is too much
    """How many nodes there are from this one on, aliases unfolded, and how many levels. ``known``: of those measured, None: at it.

    Raises YamlError beyond the bounds, and for a key that stands twice.
    """
    line = node.start_mark.line + 1
    if id(node) in known:
        measured = known[id(node)]
        if measured is None:
            raise YamlError("an alias stands inside what it stands for; write out what is meant", line)
        size, levels = measured
    elif isinstance(node, yaml.CollectionNode):
        if above >= MOST_DEPTH:
            raise YamlError(_TOO_DEEP, line)
        known[id(node)] = None
        size, levels = 1, 1
        if isinstance(node, yaml.MappingNode):
            _once(node)
        for part in node.value:
            for child in part if isinstance(part, tuple) else (part,):
                # A list that is its own entry goes round in one place, and whoever reads it sees that at once.
                more, deeper = (1, 0) if child is node else _measured(child, known, above + 1)
                size, levels = size + more, max(levels, deeper + 1)
            if size > MOST_NODES:
                raise YamlError(_TOO_MANY, line)
        known[id(node)] = size, levels
    else:
        if node.tag in _NUMBERS and len(node.value) > _MOST_DIGITS:
            raise YamlError(f"a number of {len(node.value)} characters; at most {_MOST_DIGITS} are read", line)
        size, levels = 1, 0
    if above + levels > MOST_DEPTH:
        raise YamlError(_TOO_DEEP, line)
    return size, levels
