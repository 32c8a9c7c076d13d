"""The operation's topics on its cluster: made where they are missing, refused where they do not fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic, sleep

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
_DELETED_SECONDS, _LOOK_SECONDS = 60.0, 0.2
_LONGEST = "max.message.bytes"
_WITHOUT_LEADER = 5  # a topic that was made a moment ago
#: A topic of this name is there as long as the operation is being put back (``streams/backup``): half of it is none.
UNFINISHED = "restore-unfinished"


def ensure_topics(settings: Settings) -> list[str]:
    """Create every missing topic of ``TOPICS``, wait until clients see it, and return the names of those created.

    Nothing is created where a topic is there with a number of partitions that does not fit: one customer's contacts
    over all channels, and an entity's figures, would no longer meet in one place. Settings of topics that exist stay as
    the operator has them.

    Raises ValueError where the topics that exist, or the settings, do not fit; ConnectionError where no Kafka answers;
    RuntimeError where Kafka refuses to create a topic, with its reason.
    """
    with _admin(settings) as admin:
        _refuse_half(settings, admin)
        return _ensure(settings, admin)


def restore_begun(settings: Settings) -> bool:
    """Has a restore begun and not ended? Raises ConnectionError where no Kafka answers."""
    with _admin(settings) as admin:
        return _half(settings) in _partitions(admin, [_half(settings)])


def mark_restore(settings: Settings) -> None:
    """From now on no process begins to work on this operation. Raises ConnectionError where no Kafka answers."""
    with _admin(settings) as admin:
        if _half(settings) not in _partitions(admin, [_half(settings)]):
            admin.create_topics(
                {_half(settings): {"num_partitions": 1, "replication_factor": settings.replication}},
                timeout_ms=_PATIENCE_MS,
            )
            admin.wait_for_topics([_half(settings)], timeout_ms=_PATIENCE_MS)


def begin_restore(settings: Settings) -> None:
    """The same, and all topics of it are there. Raises as ``ensure_topics``."""
    mark_restore(settings)
    with _admin(settings) as admin:
        _ensure(settings, admin)


def end_restore(settings: Settings) -> None:
    """The operation is whole. Raises ConnectionError where no Kafka answers."""
    with _admin(settings) as admin:
        if _half(settings) in _partitions(admin, [_half(settings)]):
            admin.delete_topics([_half(settings)], timeout_ms=_PATIENCE_MS)


def delete_topics(settings: Settings) -> None:
    """Have no topic of the operation any more, with all that is in them; returns when Kafka names none of them.

    Raises ConnectionError where no Kafka answers, TimeoutError where it is not done with it in time.
    """
    names = [settings.topic(topic) for topic in TOPICS]
    with _admin(settings) as admin:
        if there := sorted(_partitions(admin, names)):
            admin.delete_topics(there, timeout_ms=_PATIENCE_MS)
        deadline = monotonic() + _DELETED_SECONDS
        while left := sorted(_partitions(admin, names)):
            if monotonic() > deadline:
                raise TimeoutError(f"Kafka at {settings.broker} has not deleted {', '.join(left)} yet: try again")
            sleep(_LOOK_SECONDS)


def _half(settings: Settings) -> str:
    return f"{settings.prefix}{UNFINISHED}"


def _refuse_half(settings: Settings, admin: KafkaAdminClient) -> None:
    if _half(settings) in _partitions(admin, [_half(settings)]):
        raise ValueError(
            f"a restore of this operation has begun and not ended (the topic {_half(settings)} says so): half of its topics are filled; "
            "run the same `deskpulse restore`, or `deskpulse repartition`, again: it begins anew and does the whole"
        )


def _ensure(settings: Settings, admin: KafkaAdminClient) -> list[str]:
    names = [settings.topic(topic) for topic in TOPICS]
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
        _refuse_half(settings, admin)
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
