"""What is live about one entity: its rolling windows, what is planned for it, who waits, its alerts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from streams.alerts.cusum import Run
from streams.alerts.lifecycle import AlertState
from streams.contracts.outputs import Contribution, Sums
from streams.kpi.measures import add
from streams.windows.rolling import Rolling


class Kept(Struct, array_like=True, kw_only=True):
    """An entity as it is stored."""

    offset: int
    now: int
    panes: dict[int, Sums]
    planned: list[tuple[int, int, Sums]]
    waiting: dict[str, int]
    team: str | None
    alerts: dict[str, AlertState]
    levels: Sums | None = None
    changes: dict[str, Run] = {}
    awake: bool = False


class Entity:
    """One entity at work.

    ``offset`` is the last offset of its contributions partition that it holds, be it a moment at which rules were judged; ``counted`` the
    last at which anything came to it, as far as that is known; ``planned``: (moment in ms, day) → sums;
    ``waiting``: leg → since, ms; ``unnamed``: some of these are of a release before, whose names do not say whose they are;
    ``alerts``: rule id → state; ``changes``: rule id → where its cumulative sum stands, of rules that have one; ``awake``: something
    was in it that rules had not been judged on when it was written.
    """

    __slots__ = ("alerts", "awake", "changes", "counted", "offset", "planned", "rolling", "team", "unnamed", "waiting")

    def __init__(self) -> None:
        self.offset = -1
        self.rolling = Rolling()
        self.planned: dict[tuple[int, int], Sums] = {}
        self.waiting: dict[str, int] = {}
        self.unnamed = False
        self.team: str | None = None
        self.alerts: dict[str, AlertState] = {}
        self.changes: dict[str, Run] = {}
        self.awake = False
        self.counted = -1

    def apply(self, contributions: Sequence[Contribution]) -> None:  # noqa: C901, PLR0912 - once a contribution: the hot path of stage two
        """Add contributions, in the order of their coming."""
        if len(contributions) == 1:
            for cell in contributions[0].cells:
                self.rolling.add(cell.minute, cell.sums)
        else:
            minutes: dict[int, Sums] = {}
            for contribution in contributions:
                for cell in contribution.cells:
                    add(minutes.setdefault(cell.minute, {}), cell.sums)
            for minute, sums in minutes.items():
                self.rolling.add(minute, sums)
        for contribution in contributions:
            for plan in contribution.planned:
                sums = self.planned.setdefault((plan.at, plan.day), {})
                add(sums, plan.sums)
                if not sums:
                    del self.planned[plan.at, plan.day]
            if contribution.waiting:
                self.waiting.update(contribution.waiting)
            for leg in contribution.left:
                if self.waiting.pop(leg, None) is None and self.unnamed:
                    self.waiting.pop(leg.rpartition("@")[0], None)
            if contribution.team is not None:
                self.team = contribution.team

    def due(self, now: int) -> list[tuple[int, int]]:
        """Bring in what was planned for moments up to ``now`` (ms); returns the (moment, day) pairs brought in."""
        ripe = sorted(plan for plan in self.planned if plan[0] <= now)
        for at, day in ripe:
            self.begin(at, day)
        return ripe

    def begin(self, at: int, day: int) -> bool:
        """Bring in what was planned for a moment (ms) and a day (ordinal); False where nothing was."""
        sums = self.planned.pop((at, day), None)
        if sums is None:
            return False
        self.rolling.add(at // 60_000, sums)
        return True

    def longest_wait(self, now: int, limit_ms: float) -> tuple[int, float | None]:
        """How many wait now, and for how long the longest has (seconds; None: nobody).

        Who has waited for longer than ``limit_ms`` was lost by the source: its end never came.
        """
        if not self.waiting:
            return 0, None
        many, oldest = len(self.waiting), min(self.waiting.values())
        if now - oldest > limit_ms:
            still = [since for since in self.waiting.values() if now - since <= limit_ms]
            if not still:
                return 0, None
            many, oldest = len(still), min(still)
        return many, max(0, now - oldest) / 1000

    def forget_lost(self, now: int, limit_ms: float) -> None:
        """Let go of who has waited for longer than ``limit_ms`` at ``now`` (ms)."""
        if self.waiting and now - min(self.waiting.values()) > limit_ms:
            self.waiting = {leg: since for leg, since in self.waiting.items() if now - since <= limit_ms}


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Kept)


def dump(entity: Entity) -> bytes:
    """The stored form of an entity."""
    return _encoder.encode(
        Kept(
            offset=entity.offset,
            now=entity.rolling.now,
            panes=entity.rolling.panes,
            planned=[(at, day, sums) for (at, day), sums in entity.planned.items()],
            waiting=entity.waiting,
            team=entity.team,
            alerts=entity.alerts,
            levels=entity.rolling.levels,
            changes=entity.changes,
            awake=entity.awake,
        )
    )


def load(raw: bytes) -> Entity:
    """An entity from its stored form."""
    kept = _decoder.decode(raw)
    entity = Entity()
    entity.offset = entity.counted = kept.offset
    entity.rolling = Rolling(kept.panes, kept.now, kept.levels)
    entity.planned = {(at, day): sums for at, day, sums in kept.planned}
    entity.waiting, entity.team, entity.alerts, entity.changes = kept.waiting, kept.team, kept.alerts, kept.changes
    entity.awake = kept.awake
    entity.unnamed = any("@" not in leg.rpartition("/")[2] for leg in kept.waiting)
    return entity


def moved(raw: bytes, offset: Callable[[int], int]) -> bytes:
    """The same stored form where contributions were written anew; ``offset`` says where the last one it holds lies now."""
    kept = _decoder.decode(raw)
    return _encoder.encode(msgspec.structs.replace(kept, offset=offset(kept.offset)))
