"""Measures that are kept apart by topic: for the topics that the policy names, so that nobody's wording can make more of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from streams.contracts.outputs import Sums
from streams.kpi.measures.measure import Measure

#: Stands between a measure and a topic.
MARK = "@"
#: Contacts of any named topic, and beside them the families: one measure for each topic, like ``resolved@refund``.
TOPICS = (
    Measure("topic_resolution_due", "n", "应解决的（列明主题）联络", "contacts of named topics due to be resolved"),
    Measure("topic_resolved", "n", "已解决的（列明主题）联络", "contacts of named topics resolved"),
)


@lru_cache(maxsize=1024)
def of_topic(topic: str, measures: tuple[str, ...]) -> Sums:
    """One of each measure (``resolved``, ``resolution_due``), under the topic and among those of all topics. Shared: not to be changed."""
    return {name: 1 for measure in measures for name in (f"topic_{measure}", f"{measure}{MARK}{topic}")}


def topics_in(sums: Mapping[str, int]) -> dict[str, Sums]:
    """Topic → its ``resolved`` and ``resolution_due``: what the resolution rate of each topic is made from."""
    found: dict[str, Sums] = {}
    for measure, amount in sums.items():
        name, mark, topic = measure.partition(MARK)
        if mark:
            found.setdefault(topic, {})[name] = amount
    return found
