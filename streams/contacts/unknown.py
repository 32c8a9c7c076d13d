"""Words for kinds and topics that no list has, counted by value: what somebody may want to add to the policy."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal, TypeAlias

from streams.kpi.policy.model import Policy
from streams.kpi.policy.names import Names

Field: TypeAlias = Literal["kind", "topic"]
#: Field and word, folded; no word: all that there was no room for.
Word: TypeAlias = tuple[Field, str]
#: Words that YAML reads as something else.
_OTHERWISE = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
#: So many words are told apart.
MOST = 50


def count(into: dict[Word, int], field: Field, said: str, times: int = 1) -> None:
    """Count a word, folded; once there are ``MOST`` of them, others are counted without a name."""
    word: Word = (field, said) if (field, said) in into or len(into) < MOST else (field, "")
    into[word] = into.get(word, 0) + times


def still_unknown(told: Mapping[Word, int], policy: Policy) -> dict[Word, int]:
    """Of the words that were counted those that a policy does not know either, the most frequent first."""
    lists = {"kind": policy.kind_names, "topic": policy.topic_names}
    found = {
        word: times
        for word, times in told.items()
        if (word[0] == "kind" or policy.topics) and (not word[1] or lists[word[0]][word[1]] not in lists[word[0]].known)
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def line_to_add(word: Word, policy: Policy) -> str:
    """The line of a policy that makes a word known: as another word for what looks like it, else as a name of its own."""
    field, said = word
    near = _near(said, policy.kind_names if field == "kind" else policy.topic_names)
    near = near and policy.topics_apart.get(near, near)
    # Flow YAML: a plain word as it is, what may be read otherwise in single quotes, of which the word's own are doubled.
    plain = said.isalpha() and said not in _OTHERWISE
    quoted = said if plain else "'" + said.replace("'", "''") + "'"
    return f"{field}s: {{{near}: [{quoted}]}}" if near else f"{field}s: {{{quoted}: []}}"


def said(told: Mapping[Word, int], policy: Policy, most: int = 5) -> str:
    """The words for people: each with how many events have it and the line to add."""
    named = [(word, times) for word, times in told.items() if word[1]]
    words = [f"{field} {text!r} {times}: {line_to_add((field, text), policy)}" for (field, text), times in named[:most]]
    rest = len(told) - len(words)
    return "; ".join(words) + (f"; and {rest} more" if rest else "")


def _near(said: str, names: Names) -> str | None:
    """The name of which a word looks like another spelling."""
    found = get_close_matches(said, names.words, 1, 0.7) or [
        word for word in names.words if len(word) > 1 and word in said
    ]
    return names.words[found[0]] if found else None
