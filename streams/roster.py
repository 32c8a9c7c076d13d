"""Who an agent is, from which day on: team and site for events whose source does not know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import DecodeError, json

from streams.contracts.dated import in_force
from streams.contracts.events import AgentEvent, ContactEvent
from streams.contracts.outputs import RosterEntry
from streams.windows.clock import Days

_decoder = json.Decoder(list[RosterEntry])


class Roster:
    """The roster as of any day. An agent without entries has neither team nor site."""

    def __init__(self, entries: Iterable[RosterEntry] = ()) -> None:
        self._of_agent: dict[str, list[RosterEntry]] = {}
        for entry in entries:
            self._of_agent.setdefault(entry.agent_id, []).append(entry)
        for own in self._of_agent.values():
            own.sort(key=lambda entry: entry.valid_from)

    def load(self, messages: Mapping[str, bytes | None]) -> dict[str, str]:
        """Take over messages of the topic ``roster``: agent id → its value; None removes the agent.

        Returns what cannot be read: agent id → why. What was known of them stands.
        """
        unread: dict[str, str] = {}
        for agent, raw in messages.items():
            if raw is None:
                self._of_agent.pop(agent, None)
                continue
            try:
                entries = _decoder.decode(raw)
            except (DecodeError, UnicodeDecodeError) as error:
                unread[agent] = str(error)
                continue
            self._of_agent[agent] = sorted(entries, key=lambda entry: entry.valid_from)
        return unread

    def on(self, agent: str, day: date) -> RosterEntry | None:
        """The agent's entry in force on a day."""
        return in_force(self._of_agent.get(agent, ()), day)

    def complete(self, event: ContactEvent | AgentEvent, at: int, days: Days) -> bool:
        """Fill in the event's team and site where it names an agent but not these; False: it is as it was."""
        if event.agent_id is None or (event.team_id is not None and event.site_id is not None):
            return False
        if event.agent_id not in self._of_agent:
            return False
        entry = self.on(event.agent_id, date.fromordinal(days.day_of(at)))
        if entry is None:
            return False
        event.team_id = event.team_id or entry.team_id
        event.site_id = event.site_id or entry.site_id
        return True

    def agents(self) -> list[str]:
        """Ids of all agents, sorted."""
        return sorted(self._of_agent)
