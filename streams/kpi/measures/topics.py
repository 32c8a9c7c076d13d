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
    Measure(
        "topic_resolution_due", "n", "应解决的联络（列明的业务类型）", "contacts of named topics due to be resolved"
    ),
    Measure("topic_resolved", "n", "已解决的联络（列明的业务类型）", "contacts of named topics resolved"),
)
#: What is kept apart: the names of the families.
_APART = frozenset(measure.id.removeprefix("topic_") for measure in TOPICS)


@lru_cache(maxsize=1024)
def of_topic(topic: str, measures: tuple[str, ...]) -> Sums:
    """One of each measure (``resolved``, ``resolution_due``), under the topic and among those of all topics. Shared: not to be changed."""
    return {name: 1 for measure in measures for name in (f"topic_{measure}", f"{measure}{MARK}{topic}")}


def topics_in(sums: Mapping[str, int]) -> dict[str, Sums]:
    """Topic → its part, under the names of the measures of all topics; in the order of the alphabet."""
    found: dict[str, Sums] = {}
    for measure, amount in sums.items():
        name, mark, topic = measure.partition(MARK)
        if mark and name in _APART:
            found.setdefault(topic, {})[f"topic_{name}"] = amount
    return dict(sorted(found.items()))
