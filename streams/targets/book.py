"""All targets as of any day: who has which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from msgspec import DecodeError, json

from streams.contracts.dated import in_force
from streams.contracts.outputs import ALL, Target, entity, entity_kind

_decoder = json.Decoder(list[Target])


class Targets:
    """Targets in all their versions. ``revision`` rises with every change."""

    def __init__(self, entries: Iterable[Target] = ()) -> None:
        self._of: dict[str, list[Target]] = {}
        #: For whom and KPI → from which day (ordinal) which number, None: none any more. Oldest first.
        self._numbers: dict[tuple[str, str], list[tuple[int, float | None]]] = {}
        self.revision = 0
        for entry in entries:
            self._of.setdefault(entry.key, []).append(entry)
        for key in self._of:
            self._settle(key)

    def load(self, messages: Mapping[str, bytes | None]) -> dict[str, str]:
        """Take over messages of the topic ``targets``: key → its value; None removes it.

        Returns what cannot be read: key → why. What was known of them stands.
        """
        unread: dict[str, str] = {}
        for key, raw in messages.items():
            if raw is None:
                for gone in self._of.pop(key, ()):
                    if gone.sets == "target":
                        self._numbers.pop((gone.of, gone.kpi), None)
                self.revision += 1
                continue
            try:
                entries = _decoder.decode(raw)
            except (DecodeError, UnicodeDecodeError, ValueError) as error:
                unread[key] = str(error)
                continue
            self._of[key] = entries
            self._settle(key)
            self.revision += 1
        return unread

    def with_(self, versions: Mapping[str, Iterable[Target]]) -> Targets:
        """These targets with others in place of what there is under their keys."""
        kept = [entry for key, own in self._of.items() if key not in versions for entry in own]
        return Targets([*kept, *(entry for own in versions.values() for entry in own)])

    def versions(self, key: str) -> list[Target]:
        """Every version that was ever set under a key, oldest day first, of one day the newest last."""
        return self._of.get(key, [])

    def on(self, of: str, kpi: str, day: date) -> Target | None:
        """The target of just these in force on a day; None: there is none, or it was taken back."""
        return self._in_force(f"{kpi}|{of}", day)

    def number(self, entity: str, team: str | None, kpi: str, day: int) -> float | None:
        """What an entity is to reach on a day (ordinal), in the KPI's unit: its own, an agent's team's, that of all. None: nothing."""
        for of in levels(entity, team):
            found = None
            for since, number in self._numbers.get((of, kpi), ()):
                if since > day:
                    break
                found = number
            if found is not None:
                return found
        return None

    def in_force(self, day: date) -> Iterator[Target]:
        """Every target and weight in force on a day, by KPI and for whom."""
        for key in sorted(self._of):
            if (found := self._in_force(key, day)) is not None:
                yield found

    def weights(self, card: str) -> list[tuple[date, list[Target]]]:
        """What the sheet sets of a card's weights: each day on which that changes → the weights in force from it on."""
        of = f"card|{card}"
        keys = [key for key in sorted(self._of) if (self._of[key][0].sets, self._of[key][0].of) == ("weight", of)]
        days = sorted({entry.valid_from for key in keys for entry in self._of[key]})
        return [(day, [found for key in keys if (found := self._in_force(key, day)) is not None]) for day in days]

    def all(self) -> list[Target]:
        """Every version of every target, by key."""
        return [entry for key in sorted(self._of) for entry in self._of[key]]

    def keys(self) -> list[str]:
        """Every key, sorted."""
        return sorted(self._of)

    def _in_force(self, key: str, day: date) -> Target | None:
        found = in_force(self._of.get(key, ()), day)
        return None if found is None or found.value is None else found

    def _settle(self, key: str) -> None:
        own = self._of[key]
        own.sort(key=lambda entry: (entry.valid_from, entry.version))
        if own[0].sets != "target":
            return
        self._numbers[(own[0].of, own[0].kpi)] = [
            (entry.valid_from.toordinal(), None if entry.value is None else float(entry.value)) for entry in own
        ]


def levels(of: str, team: str | None) -> Iterator[str]:
    """Whose targets an entity goes by, the nearest first."""
    yield of
    if team and entity_kind(of) == "agent":
        yield entity("team", team)
    if of != ALL:
        yield ALL
