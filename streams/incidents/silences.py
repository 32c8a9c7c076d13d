"""What is silenced, by whom and until when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from streams.alerts.selectors import Selector, fits, selector
from streams.contracts.outputs import Silence, entity_id, entity_kind
from streams.incidents.records import Member, RuleFacts

#: What silences may select by, beside the labels of rules.
SILENCED_BY = ("rule", "severity", "kpi", "channel", "agent", "team", "queue", "site")


class Silences:
    """Silences in force, by their ids. ``changed``: ids of those begun and ended since somebody last emptied it."""

    def __init__(self, labels: Collection[str] = ()) -> None:
        """``labels``: names of the rules' own labels."""
        self._names = (*SILENCED_BY, *labels)
        self._of: dict[str, Silence] = {}
        self._selectors: dict[str, tuple[Selector, ...]] = {}
        self.changed: set[str] = set()

    def __contains__(self, id: str) -> bool:
        return id in self._of

    def __iter__(self) -> Iterator[Silence]:
        return iter(self._of.values())

    def __len__(self) -> int:
        return len(self._of)

    def get(self, id: str) -> Silence | None:
        """The silence of an id."""
        return self._of.get(id)

    def read(self, selectors: Iterable[str]) -> tuple[Selector, ...]:
        """Selectors as people write them. Raises ValueError that says which is none."""
        return tuple(selector(each, self._names) for each in selectors)

    def begin(self, silence: Silence) -> None:
        """It holds from now on. Raises ValueError where a selector cannot be read."""
        self._selectors[silence.id] = self.read(silence.selectors)
        self._of[silence.id] = silence
        self.changed.add(silence.id)

    def end(self, id: str) -> Silence | None:
        """It holds no longer; None: it did not."""
        self._selectors.pop(id, None)
        if (ended := self._of.pop(id, None)) is not None:
            self.changed.add(id)
        return ended

    def restore(self, silence: Silence) -> None:
        """One that was stored. One by a label that no rule has any more is about nothing."""
        self._of[silence.id] = silence
        try:
            self._selectors[silence.id] = self.read(silence.selectors)
        except ValueError:
            self._selectors[silence.id] = (Selector("", "*"),)

    def over(self, now: int) -> list[Silence]:
        """Those whose end has come by ``now`` (ms)."""
        return [one for one in self._of.values() if one.until.timestamp() * 1000 <= now]

    def about(self, incident: str, facts: RuleFacts, members: Collection[Member]) -> list[Silence]:
        """Those by which an incident is silenced: its own, or such as together are about every one of these alerts; none: it is not."""
        if not self._of:
            return []
        own = [one for one in self._of.values() if one.incident == incident]
        if own or not members:
            return own
        found: dict[str, Silence] = {}
        for member in members:
            values = values_of(member, facts)
            id = next((id for id, selectors in self._selectors.items() if selectors and fits(selectors, values)), None)
            if id is None:
                return []
            found[id] = self._of[id]
        return list(found.values())


def values_of(member: Member, facts: RuleFacts) -> Mapping[str, Collection[str]]:
    """By what an alert can be selected."""
    alert = member.alert
    values: dict[str, Collection[str]] = {name: (value,) for name, value in facts.labels.items()}
    known = {
        "rule": alert.rule,
        "severity": alert.severity,
        "kpi": facts.kpi,
        "channel": facts.channel,
        "team": member.team,
        "site": member.site,
    }
    values.update({name: () if value is None else (value,) for name, value in known.items()})
    kind, id = entity_kind(alert.entity), entity_id(alert.entity)
    if kind != "all":
        values[kind] = (id,)
    return values
