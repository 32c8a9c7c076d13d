"""The operation's topics on its cluster: made where they are missing, refused where they do not fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    BrokerResponseError,
    InvalidReplicationFactorError,
    InvalidTopicError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from streams.contracts.topics import CALLS, EVENT_TOPICS, TOPICS
from streams.kafka.connection import open_admin
from streams.refusals import remedy, with_remedy
from streams.settings import Settings

_PATIENCE_MS = 20_000
_LONGEST = "max.message.bytes"
_WITHOUT_LEADER = 5  # a topic that was made a moment ago


def ensure_topics(settings: Settings) -> list[str]:
    """Create every missing topic of ``TOPICS``, wait until clients see it, and return the names of those created.

    Nothing is created where a topic is there with a number of partitions that does not fit: one customer's contacts
    over all channels, and an entity's figures, would no longer meet in one place. Settings of topics that exist stay as
    the operator has them.

    Raises ValueError where the topics that exist, or the settings, do not fit; ConnectionError where no Kafka answers;
    RuntimeError where Kafka refuses to create a topic, with its reason.
    """
    names = [settings.topic(topic) for topic in TOPICS]
    with _admin(settings) as admin:
        existing = _partitions(admin, names)
        _refuse_other_partitions(settings, existing)
        _refuse_short_messages(settings, admin, existing)
        missing = [topic for topic in TOPICS if settings.topic(topic) not in existing]
        if not missing:
            return []
        answer = admin.create_topics(
            {
                settings.topic(topic): {
                    "num_partitions": topic.partitions or settings.partitions,
                    "replication_factor": settings.replication,
                    "configs": topic.config,
                }
                for topic in missing
            },
            timeout_ms=_PATIENCE_MS,
            raise_errors=False,
        )
        created = [each["name"] for each in answer["topics"] if _was_created(settings, each)]
        admin.wait_for_topics(names, timeout_ms=_PATIENCE_MS)
        # Another process may have created some at the same moment, with its own settings.
        _refuse_other_partitions(settings, _partitions(admin, names))
        return created


def refuse_what_does_not_fit(settings: Settings) -> None:
    """Raises as ``ensure_topics`` where a topic that exists does not fit; creates nothing."""
    with _admin(settings) as admin:
        existing = _partitions(admin, [settings.topic(topic) for topic in TOPICS])
        _refuse_other_partitions(settings, existing)
        _refuse_short_messages(settings, admin, existing)


def partitions_of(settings: Settings) -> int | None:
    """How many partitions the operation's topic of calls has; None where there is no such topic yet.

    Raises ConnectionError where no Kafka answers.
    """
    name = settings.topic(CALLS)
    with _admin(settings) as admin:
        return _partitions(admin, [name]).get(name)


def configs(settings: Settings, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Topic → its settings as they are in force; those of which Kafka does not say them are left out.

    Raises ConnectionError where no Kafka answers.
    """
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    with _admin(settings) as admin:
        try:
            told = admin.describe_configs(resources, config_filter="all").get("topic", {})
        except BrokerResponseError:  # not everybody may ask
            return {}
    return {name: {key: str(each["value"]) for key, each in config.items()} for name, config in told.items()}


def delete_before(settings: Settings, offsets: Mapping[TopicPartition, int]) -> None:
    """Have a topic begin at these offsets: nobody reads what lies before them any more.

    Raises ConnectionError where no Kafka answers or it refuses to.
    """
    if offsets:
        with _admin(settings) as admin:
            admin.delete_records(dict(offsets))


@contextmanager
def _admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    try:
        with open_admin(settings, _PATIENCE_MS) as admin:
            yield admin
    except KafkaError as error:
        raise ConnectionError(
            f"Kafka at {settings.broker} ({settings.security_protocol}) did not answer: {with_remedy('Kafka', error)}; check that it runs, "
            "DESKPULSE_BROKER and DESKPULSE_SECURITY_PROTOCOL"
        ) from error


def _partitions(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """Number of partitions of those topics that exist, by name."""
    found = {}
    for topic in admin.describe_topics(list(names)):
        error = for_code(topic["error_code"])
        if error is UnknownTopicOrPartitionError:
            continue
        if error is InvalidTopicError:
            raise ValueError(
                f"{topic['name']!r} is no name of a Kafka topic; DESKPULSE_PREFIX takes letters, digits and . _ -"
            )
        if error is not NoError and topic["error_code"] != _WITHOUT_LEADER:
            raise RuntimeError(
                f"Kafka does not describe the topic {topic['name']!r}: {error.__name__}{remedy('Kafka', error.__name__)}"
            )
        found[topic["name"]] = len(topic["partitions"])
    return found


def _refuse_other_partitions(settings: Settings, existing: dict[str, int]) -> None:
    """Topics with a number of their own may have any: nothing is co-partitioned with them."""
    bound = [settings.topic(topic) for topic in TOPICS if topic.partitions is None]
    wrong = {name: existing[name] for name in bound if existing.get(name, settings.partitions) != settings.partitions}
    if not wrong:
        return
    listed = ", ".join(f"{name} has {count}" for name, count in wrong.items())
    numbers = {existing[name] for name in bound if name in existing}
    prefix = "use names of your own with another DESKPULSE_PREFIX"
    if len(numbers) == 1:
        advice = f"set DESKPULSE_PARTITIONS={numbers.pop()}, or {prefix}"
    else:
        advice = f"all of them need the same number: {prefix}"
    raise ValueError(
        f"topics exist with another number of partitions than the {settings.partitions} of DESKPULSE_PARTITIONS: "
        f"{listed}; {advice}"
    )


def _refuse_short_messages(settings: Settings, admin: KafkaAdminClient, existing: Iterable[str]) -> None:
    """What a worker writes is as long as it says in ``TOPICS``: a topic that takes less would stop its partition one day."""
    wanted = {settings.topic(topic): topic.largest_bytes for topic in TOPICS if topic not in EVENT_TOPICS}
    taken = _longest_messages(admin, sorted(wanted.keys() & set(existing)))
    if short := [name for name, most in taken.items() if most < wanted[name]]:
        listed = ", ".join(f"{name} {taken[name]} and not {wanted[name]}" for name in short)
        raise ValueError(
            f"topics take shorter messages than this operation writes (max.message.bytes): {listed}; for each of them: kafka-configs.sh "
            f"--bootstrap-server {settings.broker} --alter --entity-type topics --entity-name {short[0]} --add-config "
            f"{_LONGEST}={wanted[short[0]]}"
        )


def _longest_messages(admin: KafkaAdminClient, topics: Sequence[str]) -> dict[str, int]:
    """How many bytes a message of each of these topics may have, as far as the broker tells: not everybody may ask."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, {_LONGEST: None}) for name in topics]
    try:
        told = admin.describe_configs(asked, config_filter="all").get("topic", {}) if asked else {}
    except KafkaError:
        return {}
    return {name: int(told[name][_LONGEST]["value"]) for name in topics if _LONGEST in told.get(name, {})}


def _was_created(settings: Settings, answer: dict[str, object]) -> bool:
    """Whether this process created the topic; another one may have, a moment before."""
    error = for_code(answer["error_code"])
    if error is NoError:
        return True
    if error is TopicAlreadyExistsError:
        return False
    reason = f"{error.__name__}: {answer.get('error_message') or 'no reason given'}"
    if error is InvalidReplicationFactorError:
        raise ValueError(
            f"the cluster cannot hold {settings.replication} replicas of {answer['name']} ({reason}); set "
            "DESKPULSE_REPLICATION to the number of its brokers or less"
        )
    raise RuntimeError(f"Kafka did not create the topic {answer['name']}: {reason}{remedy('Kafka', reason)}")
