"""What an operation calls its agents and queues, by the names that another system has for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from streams.contracts.events import AnyEvent

#: Names that are counted; of more there are, no further ones.
_MOST_NAMES = 1_000
_AGENTS, _QUEUES = ("agent_id", "to_agent_id"), ("queue_id", "to_queue_id")


class Renaming:
    """From a system's names to the operation's. What is not named stays as it is, and is counted in ``unmapped``.

    :param counts: Are names counted where no name of that kind is given at all?
    """

    def __init__(self, agents: Mapping[str, str], queues: Mapping[str, str], *, counts: bool = True) -> None:
        self._names = (("agents", _AGENTS, agents), ("queues", _QUEUES, queues))
        self._counts = counts
        #: ``agents`` and ``queues`` → names without one of the operation's, by how often they were met.
        self.unmapped: dict[str, Counter[str]] = {"agents": Counter(), "queues": Counter()}

    def rename(self, event: AnyEvent) -> None:
        """Give the event the operation's names, in place."""
        for what, fields, names in self._names:
            for field in fields:
                if (name := getattr(event, field, None)) is not None:
                    self._rename(event, field, name, what, names)

    def _rename(self, event: AnyEvent, field: str, name: str, what: str, names: Mapping[str, str]) -> None:
        if (own := names.get(name)) is not None:
            setattr(event, field, own)
        elif (names or self._counts) and name not in names.values():
            unmapped = self.unmapped[what]
            if name in unmapped or len(unmapped) < _MOST_NAMES:
                unmapped[name] += 1
