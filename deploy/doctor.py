"""What of all that Deskpulse can use is on this machine, and what to type for the rest."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from kafka.errors import KafkaError
from redis import Redis
from redis.exceptions import RedisError

from deploy.local import redis_probe, tools
from deploy.local.kafka_jars import cache_root, cached_jars, kafka_version
from streams.contracts import redis_keys as keys
from streams.contracts.events import milliseconds
from streams.contracts.outputs import SharedId
from streams.kafka import probe
from streams.refusals import address_shown
from streams.settings import Settings
from streams.wallboard.items import Clock
from streams.wallboard.shared_ids import Sharing
from streams.wallboard.unknown_words import Unknown
from streams.worker.placement import placement

_PYTHON_FROM, _PYTHON_BELOW = (3, 11), (3, 14)


@dataclass(frozen=True)
class Finding:
    """One thing looked for. ``needed``: nothing works without it. ``advice``: what to type where it is missing. ``verdict``: one word for
    what is not as it should be.
    """

    name: str
    ok: bool
    needed: bool
    found: str
    advice: str
    verdict: str = "absent"


def examine(
    broker: str | None = None,
    redis_url: str | None = None,
    cache_dir: Path | None = None,
    *,
    connection: Mapping[str, Any] | None = None,
) -> list[Finding]:
    """Look for everything, in the order in which one would install it. Never raises for what is missing.

    :param broker: ``HOST:PORT[,…]`` of a Kafka that has to answer; None where a local one is to be started.
    :param redis_url: URL of a Redis that has to answer; None where a local one is to be started.
    :param cache_dir: where Kafka's jars are cached; the user's cache directory where None.
    :param connection: how to talk to ``broker`` (``kafka_python_options``); without protection where None.
    """
    cache = cache_dir or cache_root()
    findings = [_python(), _java(), _maven(cache), _jars(cache)]
    if broker is not None:
        findings.append(_kafka(broker, connection or probe.plain(broker)))
    findings.append(_tool("Redis server", tools.redis_server, redis_url is None, tools.REDIS_ADVICE))
    if redis_url is not None:
        findings.append(_redis(redis_url))
    findings.append(
        _tool("Chromium", tools.chromium, False, f"for tests of the web page only: {tools.CHROMIUM_ADVICE}")
    )
    return findings


def partitions(settings: Settings) -> list[Finding]:
    """Do producers of an operation, whose Kafka answers, put events where they belong, and does its state lie there?"""
    try:
        found = placement(settings)
    except (KafkaError, ConnectionError) as error:
        return [Finding("Partitions", False, False, f"cannot be looked at: {error}", "ask again", "unknown")]
    misplaced = ", ".join(f"{topic}: {count}" for topic, count in sorted(found.misplaced.items()))
    astray = ", ".join(f"{topic}: {count} keys" for topic, count in sorted(found.astray.items()))
    return [
        Finding(
            "Partitions of events",
            not misplaced,
            False,
            f"events put in another partition than their key's, of the newest: {misplaced}"
            if misplaced
            else "those of their keys",
            "they count all the same, by way of one topic more. At their producer: key = customer id, else contact id (agents: agent id), "
            "partitioner murmur2; with librdkafka (Python confluent-kafka, Go, .NET, PHP, Rust) set partitioner=murmur2_random",
            "wrong",
        ),
        Finding(
            "Partitions of state",
            not astray,
            False,
            f"in partitions that are not theirs: {astray}" if astray else "those of their keys",
            "end all workers, then: deskpulse state join",
            "wrong",
        ),
    ]


def _python() -> Finding:
    here = sys.version_info[:2]
    return Finding(
        "Python",
        ok=_PYTHON_FROM <= here < _PYTHON_BELOW,
        needed=True,
        found=f"{platform.python_version()} ({sys.executable})",
        advice="use Python 3.11, 3.12 or 3.13",
    )


def _java() -> Finding:
    advice = f"{tools.JAVA_ADVICE}. Without Java the demo runs on a test broker that keeps nothing"
    return _tool("Java", tools.java, False, advice)


def _maven(cache: Path) -> Finding:
    there = cached_jars(cache).is_dir()
    advice = "not needed, Kafka's jars are there" if there else f"{tools.MAVEN_ADVICE}. It fetches Kafka, once"
    return _tool("Maven", tools.maven, False, advice)


def _jars(cache: Path) -> Finding:
    jars = cached_jars(cache)
    return Finding(
        "Kafka's jars",
        ok=jars.is_dir(),
        needed=False,
        found=f"{kafka_version()} in {jars}" if jars.is_dir() else f"not in {cache}",
        advice="deskpulse broker (the first start fetches them, about 45 MB)",
    )


def _kafka(address: str, connection: Mapping[str, Any]) -> Finding:
    name = f"Kafka at {address}"
    advice = "start it, or check DESKPULSE_BROKER and DESKPULSE_SECURITY_PROTOCOL; deskpulse broker starts one here"
    try:
        cluster = probe.look(connection)
    except (probe.UnreachableError, ValueError) as error:
        return Finding(name, ok=False, needed=True, found=str(error), advice=advice)
    return Finding(name, True, True, f"version {cluster.version}, number of brokers: {cluster.brokers}", advice)


def _redis(url: str) -> Finding:
    name = f"Redis at {address_shown(url)}"
    advice = "start it, or check DESKPULSE_REDIS; deskpulse broker starts one here"
    try:
        version = redis_probe.look(url)
    except (probe.UnreachableError, ValueError) as error:
        return Finding(name, ok=False, needed=True, found=str(error), advice=advice)
    return Finding(name, ok=True, needed=True, found=f"version {version}", advice=advice)


def shared_ids(settings: Settings) -> Finding:
    """Which customer ids of this operation many callers share, as its workers have told. Nothing is missing where there are some."""
    name = "Shared customer ids"
    try:
        with Redis.from_url(settings.redis, socket_timeout=2, socket_connect_timeout=2) as redis:
            told, clock = redis.hgetall(settings.redis_key(keys.SHARED)), redis.get(settings.redis_key(keys.CLOCK))
        ids = {id.decode(errors="replace"): msgspec.json.decode(raw, type=SharedId) for id, raw in told.items()}
        now = None if clock is None else msgspec.json.decode(clock, type=Clock).now
    except (RedisError, OSError, ValueError) as error:
        return Finding(name, ok=False, needed=False, found=str(error), advice="see Redis above")
    found = Sharing(settings.policy).at(ids, None if now is None else milliseconds(now))
    if not found.total:
        return Finding(name, ok=True, needed=False, found="none", advice="")
    seen = f", seen today: {found.today}" + (f" ({', '.join(found.named)})" if found.named else "")
    return Finding(
        name,
        ok=True,
        needed=False,
        found=f"{found.total}{seen}; their contacts count as those of unknown customers (`shared_contacts`): better have the source "
        "leave such ids out",
        advice="",
    )


def unknown_words(settings: Settings) -> Finding:
    """Which words for kinds and topics no list of the policy has, as the workers have met them. Nothing is missing where there are some."""
    name = "Unknown kinds and topics"
    try:
        with Redis.from_url(settings.redis, socket_timeout=2, socket_connect_timeout=2) as redis:
            told, clock = redis.hgetall(settings.redis_key(keys.UNKNOWN)), redis.get(settings.redis_key(keys.CLOCK))
        now = None if clock is None else msgspec.json.decode(clock, type=Clock).now
    except (RedisError, OSError, ValueError) as error:
        return Finding(name, ok=False, needed=False, found=str(error), advice="see Redis above")
    found = Unknown(settings.policy).at({word.decode(errors="replace"): times for word, times in told.items()}, now)
    if not found.events:
        return Finding(name, ok=True, needed=False, found="none", advice="")
    lines = "; ".join(found.named) or "too many words to name"
    return Finding(
        name,
        ok=True,
        needed=False,
        found=f"some {found.events} events; word (events): line to add to the policy: {lines}",
        advice="",
    )


def _tool(name: str, find: Callable[[], tools.Tool], needed: bool, advice: str) -> Finding:
    try:
        tool = find()
    except tools.MissingToolError as missing:
        return Finding(name, ok=False, needed=needed, found=missing.problem, advice=advice)
    return Finding(name, ok=True, needed=needed, found=f"{tool.version} ({tool.path})", advice=advice)
