"""What works on the partitions of one assignment. It is made when they are assigned and dropped when they are revoked: nothing of one
assignment leaks into the next, and what was not written is forgotten and read again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from streams.alerts.baselines import Baselines
from streams.alerts.rules import Rule
from streams.contacts.stage import ContactsStage
from streams.contracts import topics
from streams.contracts.records import Place
from streams.contracts.topics import Topic
from streams.entities.day_parts import CutoffDay
from streams.entities.stage import KpisStage
from streams.entities.stages import KpisStages
from streams.presence.stage import PresenceStage
from streams.roster import Roster
from streams.settings import Settings
from streams.targets.book import Targets
from streams.worker.checkpoint import Checkpointer
from streams.worker.contribution_buffer import ContributionBuffer
from streams.worker.customer_ids import CustomerIds
from streams.worker.intake import Intake
from streams.worker.lag import Lag
from streams.worker.operation_clock import OperationClock
from streams.worker.outbox import Outbox
from streams.worker.partitioner import Partitioner
from streams.worker.screen_feed import ScreenFeed
from streams.worker.screen_writer import Screens
from streams.worker.state.store import StateStore
from streams.worker.state.working_state import WorkingState
from streams.worker.ticker import Ticker

log = logging.getLogger(__name__)


class StreamProcessor:
    """The pure stages with their state, what they have to write, the screens and the clock. It takes records in by ``intake``, lets time
    pass by ``ticker`` and becomes permanent by ``checkpointer``.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a worker
        self,
        settings: Settings,
        rules: tuple[Rule, ...],
        roster: Roster,
        stores: Mapping[Topic, StateStore],
        ends: Mapping[Place, int],
        partition: Partitioner,
        screens: Screens,
        topic_ids: Mapping[str, str],
        numbers: Collection[int],
        ids: CustomerIds | None = None,
        *,
        targets: Targets | None = None,
        baselines: Baselines | None = None,
    ) -> None:
        """``stores``: topic of state → its store, which holds the partitions ``numbers``; ``ends``: where the topics of state end;
        ``topic_ids``: topic → its id now; ``ids``: what is done with plain customer ids, None: nothing; ``targets``,
        ``baselines``: what rules on ``target``, ``usual`` and ``peers`` compare with.
        """
        policy = settings.policy
        event_time = settings.clock == "event"
        self.state = WorkingState(stores, numbers, topic_ids, partition.hashed, event_time=event_time)
        self.progress = self.state.progress
        entities = self.state.entities_by_partition()
        partition.learn(entities)
        contacts, presence = ContactsStage(policy, roster), PresenceStage(policy, roster)
        kpis = self._second_stage(settings, rules, entities, partition, targets, baselines)

        clock = OperationClock(event_time=event_time, clocks=self.progress.clocks.values())
        cutoff = CutoffDay(policy)
        rekeyed, agents = settings.topic(topics.REKEYED), settings.topic(topics.AGENTS)
        self.lag = Lag({*map(settings.topic, topics.CONTACT_TOPICS), rekeyed}, {agents, rekeyed})
        buffer, outbox = ContributionBuffer(partition), Outbox()
        feed = ScreenFeed(screens, kpis, presence, self.state, self.lag, partition)
        self.intake = Intake(
            settings, (contacts, presence, kpis), self.state, clock, cutoff, self.lag, buffer, outbox, feed, ids
        )
        self.ticker = Ticker(settings, kpis, self.state, clock, partition, self.intake, outbox, feed)
        self.checkpointer = Checkpointer(
            settings, kpis, contacts, presence, self.state, clock, cutoff, self.lag, partition, buffer, outbox,
            self.ticker, feed, ends,
        )  # fmt: skip
        if numbers:
            log.info("took up %d partitions with %d entities", len(numbers), len(entities))

    def _second_stage(
        self,
        settings: Settings,
        rules: tuple[Rule, ...],
        entities: Mapping[str, int],
        partition: Partitioner,
        targets: Targets | None,
        baselines: Baselines | None,
    ) -> KpisStages:
        """A stage for each partition, with those of ``entities`` (key → partition) that live there, as of where its contributions go on."""
        state, topic, changed = self.state, settings.topic(topics.CONTRIBUTIONS), dict[str, set[str]]()
        stages = {
            number: KpisStage(settings.policy, rules, state.entities, state.days, targets, baselines, changed)
            for number in sorted(state.numbers)
        }
        keys: dict[int, list[str]] = {number: [] for number in stages}
        days: dict[int, list[str]] = {number: [] for number in stages}
        for key, number in entities.items():
            keys[number].append(key)
        for day in state.later_parts_of_days():
            days[entities.get(day.rsplit("|", 1)[0], partition(day.rsplit("|", 1)[0]))].append(day)
        for number, stage in stages.items():
            stage.by_messages = True
            stage.adopt(keys[number], days[number], self.progress.judged.get((topic, number)))
        return KpisStages(stages, partition, changed)
