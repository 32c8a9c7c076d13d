"""What the board colours by: the targets that the workers have, as of the operation's day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from time import monotonic
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
#: What was read serves all who ask within this time. Seconds.
_FRESH = 1.0

#: For whom → KPI → the target, with its ``number`` in the KPI's unit.
Shown = dict[str, dict[str, dict[str, Any]]]


class Aims:
    """Read anew when somebody asks, at most once a second; decoded anew only where something has changed."""

    def __init__(self, store: Store, policy: Callable[[], AnyPolicy]) -> None:
        """``policy``: the workers', as it is known now; it says where a day begins."""
        self._store, self._policy = store, policy
        self._raw: bytes | None = None
        self._book = Targets()
        self._day: date | None = None
        self._read = float("-inf")
        self._whole: tuple[date, bytes] | None = None

    async def today(self) -> bytes:
        """Every target in force of what a board may show, as JSON of ``Shown``. Raises ``Outage`` where Redis does not answer."""
        await self._look()
        if self._day is None:
            return b"{}"
        if self._whole is None or self._whole[0] != self._day:
            there = (
                one
                for one in self._book.in_force(self._day)
                if one.sets == "target" and entity_kind(one.of) in ENTITY_KINDS
            )
            self._whole = self._day, msgspec.json.encode(_shown(there))
        return self._whole[1]

    async def of(self, whom: Iterable[str], kpis: Iterable[str]) -> Shown:
        """Those of these entities and KPIs. Raises ``Outage`` as ``today``."""
        await self._look()
        if self._day is None:
            return {}
        asked, day = tuple(dict.fromkeys(kpis)), self._day
        return _shown(found for of in whom for kpi in asked if (found := self._book.on(of, kpi, day)) is not None)

    async def book(self) -> tuple[Targets, date | None]:
        """All targets, and the operation's day (None: nobody has told it). Raises ``Outage`` as ``today``."""
        await self._look()
        return self._book, self._day

    async def _look(self) -> None:
        if monotonic() - self._read < _FRESH:
            return
        raw, clock = await self._store.text(keys.TARGETS), await self._store.text(keys.CLOCK)
        try:
            told = _decode_clock(clock) if clock else None
            if raw != self._raw:
                self._book, self._raw, self._whole = Targets(_decode_targets(raw) if raw else ()), raw, None
        except UNREADABLE:
            told = None
        policy, self._read = self._policy(), monotonic()
        days = Days(policy.zone, policy.day_starts_ms)
        self._day = None if told is None else date.fromordinal(days.of(milliseconds(told.now or told.updated)))


def _shown(targets: Iterator[Target]) -> Shown:
    made: Shown = {}
    for one in targets:
        # What is usual is left out of messages; a page needs the sign to tell which side is the better one.
        made.setdefault(one.of, {})[one.kpi] = {
            "number": float(one.value or 0),
            "op": one.op,
            **msgspec.to_builtins(one),
        }
    return made
