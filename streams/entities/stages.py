"""The second stage of all partitions in hand: a ``KpisStage`` for each, as time passes in each by what its own messages say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from streams.contracts.outputs import Alert, Totals
from streams.entities.stage import KpisStage


class KpisStages:
    """``by_number``: partition number → its stage; they share ``changed``. ``partition``: key of an entity → the number it lives in."""

    def __init__(
        self,
        by_number: Mapping[int, KpisStage],
        partition: Callable[[str], int],
        changed: dict[str, set[str]],
    ) -> None:
        self.by_number, self._partition, self.changed = by_number, partition, changed
        #: Whose turn to show is first: no partition always waits for the others.
        self._first = 0

    def of(self, key: str) -> KpisStage | None:
        """The stage of an entity; None: its partition is another worker's."""
        return self.by_number.get(self._partition(key))

    @property
    def skipped(self) -> int:
        """Contributions that were known already."""
        return sum(stage.skipped for stage in self.by_number.values())

    # -- alerts --------------------------------------------------------------------------------------------------------

    @property
    def due(self) -> int:
        """How many entities are due to be judged."""
        return sum(stage.due for stage in self.by_number.values())

    @property
    def judged(self) -> int:
        """How many have been."""
        return sum(stage.judged for stage in self.by_number.values())

    def judge_due(self, limit: int | None = None) -> None:
        """Judge those who are due; the first ``limit`` of them."""
        for stage in self.by_number.values():
            many = stage.due if limit is None else min(limit, stage.due)
            stage.judge_due(many)
            limit = None if limit is None else limit - many

    def drain_steps(self) -> list[Alert]:
        """The steps that alerts took since the last call."""
        return [step for stage in self.by_number.values() for step in stage.drain_steps()]

    def open_alerts(self, now: int) -> list[Alert]:
        """Every alert that fires or has no data, in order of entity."""
        found = [alert for stage in self.by_number.values() for alert in stage.open_alerts(now)]
        return sorted(found, key=lambda alert: alert.entity)

    # -- screens -------------------------------------------------------------------------------------------------------

    @property
    def showing(self) -> int:
        """How many entities are to be shown."""
        return sum(stage.showing for stage in self.by_number.values())

    def take_shown(self, limit: int) -> list[str]:
        """Keys of the next ``limit`` entities that are to be shown."""
        taken: list[str] = []
        for stage in self._in_turn():
            if len(taken) >= limit:
                break
            taken += stage.take_shown(limit - len(taken))
        return taken

    def _in_turn(self) -> Iterator[KpisStage]:
        stages = list(self.by_number.values())
        self._first += 1
        for number in range(len(stages)):
            yield stages[(self._first + number) % len(stages)]

    def show_again(self, keys: Iterable[str]) -> None:
        """These have not been shown after all: they come first."""
        for key in keys:
            if (stage := self.of(key)) is not None:
                stage.show_again((key,))

    def show_all(self) -> None:
        """Everybody is to be shown again: the screens' store was emptied."""
        for stage in self.by_number.values():
            stage.show_all()

    def totals(self, key: str, now: int) -> Totals:
        """An entity's sums as of ``now`` (ms); see ``KpisStage``. Raises KeyError where its partition is not in hand."""
        return self.by_number[self._partition(key)].totals(key, now)

    # -- what is to be stored ------------------------------------------------------------------------------------------

    def complete(self, key: str) -> None:
        """Have an entity as it is to be stored: with all that has come for it, judged as far as that is due."""
        if (stage := self.of(key)) is not None:
            stage.complete(key)

    def unwritten(self) -> set[str]:
        """Entities that have changed, or are about to."""
        return set(self.changed).union(*(stage.pending for stage in self.by_number.values()))

    def quiet(self, key: str, offset: int, now: int) -> bool:
        """Is nothing to be told of an entity any more? See ``KpisStage``."""
        stage = self.of(key)
        return stage is not None and stage.quiet(key, offset, now)

    def unwritten_day(self, day: str) -> bool:
        """Has the day of this key changed since it was written?"""
        return day in self.changed.get(day.rsplit("|", 1)[0], ())

    def write_day(self, day: str) -> None:
        """Have the day of this key written again."""
        self.changed.setdefault(day.rsplit("|", 1)[0], set()).add(day)
