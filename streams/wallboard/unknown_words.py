"""Words for kinds and topics that no list of the policy has, as the workers have counted them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from streams.contacts.unknown import Word, count, line_to_add, still_unknown
from streams.kpi.policy.versions import AnyPolicy

#: So many of them are named.
_MOST_NAMED = 20
#: So many lines to add are remembered: looking for what a word is like takes a while.
_MOST_LINES = 200


class UnknownWords(Struct):
    """How many events have such words; the words, each with how many have it and the line to add: the most frequent first, 20 at most."""

    events: int = 0
    named: list[str] = []


class Unknown:
    """Which words stand, by a policy."""

    def __init__(self, policy: AnyPolicy) -> None:
        self._policy = policy
        self._lines: dict[Word, str] = {}

    def at(self, told: Mapping[str, bytes], now: datetime | None) -> UnknownWords:
        """What the workers have counted (``kind|word`` → count) as far as the policy in force at the operation's ``now`` does not know it
        either; None: nothing has happened yet.
        """
        if now is None or not told:
            return UnknownWords()
        values = self._policy.current(now.astimezone(self._policy.zone).date())
        found = still_unknown(_counted(told), values)
        named = [(word, times) for word, times in found.items() if word[1]][:_MOST_NAMED]
        if len(self._lines) > _MOST_LINES:
            self._lines.clear()
        for word, _ in named:
            if word not in self._lines:
                self._lines[word] = line_to_add(word, values)
        return UnknownWords(sum(found.values()), [f"{word[1]} ({times}): {self._lines[word]}" for word, times in named])


def _counted(told: Mapping[str, bytes]) -> dict[Word, int]:
    """Word → count; what is none of ours is passed over."""
    words: dict[Word, int] = {}
    for name, raw in told.items():
        field, _, said = name.partition("|")
        if raw.isdigit() and field in ("kind", "topic"):
            count(words, "kind" if field == "kind" else "topic", said, int(raw))
    return words
