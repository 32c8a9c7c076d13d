"""What the board colours by: the targets that the workers have, as of the operation's day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from streams.contracts import redis_keys as keys
from streams.contracts.events import milliseconds
from streams.contracts.outputs import ENTITY_KINDS, Target, entity_kind
from streams.kpi.policy.versions import AnyPolicy
from streams.targets.book import Targets
from streams.wallboard.items import UNREADABLE, Clock
from streams.wallboard.store import Store
from streams.windows.clock import Days

_decode_targets = msgspec.json.Decoder(list[Target]).decode
_decode_clock = msgspec.json.Decoder(Clock).decode


class Aims:
    """Read anew when somebody asks; decoded anew only where something has changed."""

    def __init__(self, store: Store, policy: Callable[[], AnyPolicy]) -> None:
        """``policy``: the workers', as it is known now; it says where a day begins."""
        self._store, self._policy = store, policy
        self._raw: bytes | None = None
        self._book = Targets()
        self._shown: tuple[date, dict[str, dict[str, Any]]] | None = None

    async def today(self) -> dict[str, dict[str, Any]]:
        """For whom → KPI → the target in force. Raises ``Outage`` where Redis does not answer."""
        raw, clock = await self._store.text(keys.TARGETS), await self._store.text(keys.CLOCK)
        try:
            told = _decode_clock(clock) if clock else None
            if raw != self._raw:
                self._book, self._raw, self._shown = Targets(_decode_targets(raw) if raw else ()), raw, None
        except UNREADABLE:
            return {}
        if told is None:
            return {}
        policy = self._policy()
        moment = milliseconds(told.now or told.updated)
        day = date.fromordinal(Days(policy.zone, policy.day_starts_ms).of(moment))
        if self._shown is None or self._shown[0] != day:
            shown: dict[str, dict[str, Any]] = {}
            for one in self._book.in_force(day):
                if one.value is not None and entity_kind(one.of) in ENTITY_KINDS:
                    shown.setdefault(one.of, {})[one.kpi] = {"number": float(one.value), **msgspec.to_builtins(one)}
            self._shown = day, shown
        return self._shown[1]
