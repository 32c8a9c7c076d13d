"""Files of mod_json_cdr, one a channel: what mod_callcenter has written into a caller's channel, as the events that were not heard.

The variables are those of the caller's last queue. ``cc_queue_terminated_epoch`` is mostly missing where the caller hung up first: the
module writes it a moment after the file was made. Variables of an earlier queue stay: times before the caller joined are not of this one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from streams.sources.table.rows import RejectedRow

#: Bytes of one file at most.
_LONGEST = 4 << 20
_NAME = "*.cdr.json"


def files(directory: Path, after: float = 0) -> list[Path]:
    """Files that were written after that time (s since 1970), in its order. Raises OSError where the directory cannot be read."""
    if not directory.is_dir():
        raise FileNotFoundError(
            f"{directory} is no directory: see log-dir in json_cdr.conf.xml, or take `cdr` out of the file"
        )
    found: list[tuple[float, Path]] = []
    for path in directory.rglob(_NAME):
        try:
            at = path.stat().st_mtime
        except FileNotFoundError:
            continue
        if at >= after:
            found.append((at, path))
    return [path for _, path in sorted(found)]


def variables(path: Path) -> dict[str, str] | RejectedRow:
    """A channel's variables, and its caller's number as ``caller_id_number``; why not, where the file cannot be read."""
    try:
        if path.stat().st_size > _LONGEST:
            raise ValueError(f"more than {_LONGEST:,} bytes")
        record = json.loads(path.read_bytes())
        written = record["variables"]
        found = {key: unquote(value) for key, value in written.items() if isinstance(value, str)}
        for flow in record.get("callflow") or ():  # the last is the channel as it began
            number = (flow.get("caller_profile") or {}).get("caller_id_number")
            found["caller_id_number"] = number or found.get("caller_id_number", "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return RejectedRow(0, f"{path.name}: no record of mod_json_cdr: {error}", path.name)
    return found


class Legs:
    """Records of channels as they are read: agents' are kept for the callers' that they belong to."""

    def __init__(self) -> None:
        self._agents: dict[str, Mapping[str, str]] = {}
        self._callers: list[Mapping[str, str]] = []

    def add(self, leg: Mapping[str, str]) -> None:
        """One channel's variables."""
        if leg.get("cc_side") == "agent" and "uuid" in leg:
            self._agents[leg["uuid"]] = leg
        elif leg.get("cc_side") == "member" and leg.get("cc_member_uuid"):
            self._callers.append(leg)

    def told(self) -> Iterator[list[dict[str, Any]]]:
        """Of each caller since the last time: the module's events that their channel stands for."""
        callers, self._callers = self._callers, []
        for caller in callers:
            if events := _of(caller, self._agents.get(caller.get("cc_agent_uuid", ""), {})):
                yield events


def _of(caller: Mapping[str, str], agent: Mapping[str, str]) -> list[dict[str, Any]]:
    joined, over = _second(caller, "cc_queue_joined_epoch"), _second(caller, "end_epoch")
    if not (joined and over):
        return []
    fields: dict[str, Any] = {
        "CC-Queue": caller.get("cc_queue"),
        "CC-Member-UUID": caller["cc_member_uuid"],
        "CC-Member-Session-UUID": caller.get("uuid"),
        "CC-Member-CID-Number": caller.get("caller_id_number"),
        "CC-Member-Joined-Time": str(joined),
        "Event-Date-Timestamp": str(joined * 1_000_000),
    }
    came = {**fields, "CC-Action": "member-queue-start"}
    if caller.get("cc_cause") == "cancel":
        left = {
            "CC-Action": "member-queue-end",
            "CC-Cause": "Cancel",
            "CC-Cancel-Reason": caller.get("cc_cancel_reason", "NONE"),
        }
        return [
            came,
            {**fields, **left, "CC-Member-Leaving-Time": str(_second(caller, "cc_queue_canceled_epoch") or over)},
        ]
    answered = _second(agent, "answer_epoch") or _second(caller, "cc_queue_answered_epoch")
    if caller.get("cc_cause") != "answered" or not caller.get("cc_agent") or answered < joined:
        return [came]
    ended = _second(caller, "cc_queue_terminated_epoch")
    if ended < answered:
        ended = _second(agent, "end_epoch") or over
    talked = {
        "CC-Action": "bridge-agent-end",
        "CC-Agent": caller["cc_agent"],
        "CC-Agent-UUID": caller.get("cc_agent_uuid", ""),
        "CC-Agent-Called-Time": str(_second(agent, "start_epoch")),
        "CC-Agent-Answered-Time": str(answered),
        "CC-Bridge-Terminated-Time": str(max(ended, answered)),
        "CC-Agent-Bridged": "true",
        "variable_endpoint_disposition": agent.get("endpoint_disposition", ""),
    }
    return [came, {**fields, **talked}]


def _second(leg: Mapping[str, str], name: str) -> int:
    written = leg.get(name, "")
    return int(written) if written.isascii() and written.isdigit() else 0
