"""JSON Schema of every message and the AsyncAPI 3 document of every topic, generated from the types and the topic list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

import msgspec
import yaml

from streams.contracts.topics import ALERT_ACTIONS, EVENT_TOPICS, ROSTER, TOPICS, Topic

_REF = "#/$defs/{name}"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _types(topic: Topic) -> list[Any]:
    """The message types of a topic: all events of its union, or its one output."""
    if topic.schema is None:
        return []
    members = get_args(topic.schema)
    return list(members) if members and all(isinstance(member, type) for member in members) else [topic.schema]


#: How producers choose partitions, as Kafka's own clients do unless they are told otherwise.
PARTITIONER = (
    "; partition: murmur2 of the key (Java and kafka-python by themselves; librdkafka: partitioner=murmur2_random)"
)


def json_schema(types: list[Any], title: str) -> dict[str, Any]:
    """One JSON Schema for messages that are any one of ``types``."""
    roots, definitions = msgspec.json.schema_components(types, ref_template=_REF)
    body: dict[str, Any] = roots[0] if len(roots) == 1 else {"oneOf": list(roots)}
    return {"$schema": _DIALECT, "title": title, **body, "$defs": dict(sorted(definitions.items()))}


def schemas() -> dict[str, dict[str, Any]]:
    """File name → JSON Schema: one for each topic that carries JSON."""
    return {f"{topic.name}.schema.json": json_schema(_types(topic), topic.carries) for topic in TOPICS if topic.schema}


def asyncapi(version: str) -> dict[str, Any]:
    """The AsyncAPI 3 document: channels are topics, messages their types."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for topic in TOPICS:
        own = {_message_name(topic, type_): _message(topic, type_) for type_ in _types(topic) or [None]}
        messages |= own
        channels[topic.name] = _channel(topic, own)
        incoming = topic in EVENT_TOPICS
        action = "receive" if incoming or topic in (ROSTER, ALERT_ACTIONS) else "send"
        operations[f"{action}-{topic.name}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{topic.name}"},
            "summary": topic.carries,
        }
    _, definitions = msgspec.json.schema_components(
        [type_ for topic in TOPICS for type_ in _types(topic)], ref_template="#/components/schemas/{name}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Deskpulse",
            "version": version,
            "description": "Events of calls, chats and tickets in; KPIs, alerts and scores out. All topics may carry a prefix.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": dict(sorted(definitions.items()))},
    }


def _channel(topic: Topic, messages: Iterable[str]) -> dict[str, Any]:
    """A topic, by the names of its messages."""
    return {
        "address": topic.name,
        "description": f"{topic.carries}; key: {topic.key}{PARTITIONER if topic in EVENT_TOPICS else ''}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "bindingVersion": "0.5.0",
                **({"partitions": topic.partitions} if topic.partitions else {}),
                "topicConfiguration": _topic_configuration(topic),
            }
        },
    }


def _message_name(topic: Topic, type_: Any) -> str:
    if type_ is None:
        return topic.name
    config = getattr(type_, "__struct_config__", None)
    return str(config.tag) if config is not None and config.tag else topic.name


def _message(topic: Topic, type_: Any) -> dict[str, Any]:
    key = {"type": "string", "description": topic.key}
    if type_ is None:
        return {
            "contentType": "application/octet-stream",
            "summary": topic.carries,
            "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
        }
    (payload,), _ = msgspec.json.schema_components([type_], ref_template="#/components/schemas/{name}")
    summary = (type_.__doc__ or topic.carries).strip().splitlines()[0] if isinstance(type_, type) else topic.carries
    return {
        "payload": payload,
        "summary": summary,
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _topic_configuration(topic: Topic) -> dict[str, Any]:
    out: dict[str, Any] = {"cleanup.policy": topic.config.get("cleanup.policy", "delete").split(",")}
    if "retention.ms" in topic.config:
        out["retention.ms"] = int(topic.config["retention.ms"])
    if "max.message.bytes" in topic.config:
        out["max.message.bytes"] = int(topic.config["max.message.bytes"])
    return out


def documents(version: str) -> dict[str, str]:
    """File name → contents of everything generated."""
    out = {
        name: msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
        for name, schema in schemas().items()
    }
    out["asyncapi.yaml"] = yaml.safe_dump(asyncapi(version), sort_keys=False, allow_unicode=True, width=120)
    return out
