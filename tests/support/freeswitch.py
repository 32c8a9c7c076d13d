"""A switch for tests: mod_callcenter behind an event socket, after their sources (freeswitch 1.10), with a truth of its own.

It keeps the module's tables, fires its events in its order with its headers, answers ``api json``, and writes files of mod_json_cdr. Time
is an argument of everything that happens: seconds since 1970, with parts.
"""

from __future__ import annotations

import json
import socket
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock, Thread
from typing import Any
from urllib.parse import quote

PASSWORD = "ClueCon!"
ACCEPTED, REFUSED = "+OK accepted", "-ERR invalid"


@dataclass
class Caller:
    """A caller in a queue."""

    member: str
    session: str
    queue: str
    number: str
    joined: int
    agent: str = ""
    called: int = 0
    answered: int = 0
    cdr: dict[str, str] = field(default_factory=dict)
    agents_leg: dict[str, str] = field(default_factory=dict)


class Switch:
    """One FreeSWITCH. ``truth``: (queue, measure) → what happened, as mod_callcenter's own times have it."""

    def __init__(self, cdr: Path | None = None) -> None:
        self.cdr, self.truth = cdr, Counter[tuple[str, str]]()
        self.agents: dict[str, dict[str, Any]] = {}
        self.members: dict[str, dict[str, Any]] = {}
        self.queues: dict[str, dict[str, Any]] = {}
        self.heard: list[list[str]] = []
        self.reply_to_auth = ACCEPTED
        self._lock, self._numbers = RLock(), Counter[str]()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._links: list[socket.socket] = []
        self._subscribed: list[socket.socket] = []
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    # -- the event socket -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Gone, with all connections."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Cut all connections off."""
        with self._lock:
            links, self._links, self._subscribed = self._links, [], []
        for link in links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    @property
    def listeners(self) -> int:
        """How many hear the events now."""
        with self._lock:
            return len(self._subscribed)

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            with self._lock:
                self._links.append(near)
            Thread(target=self._talk, args=(near,), daemon=True).start()

    def _talk(self, near: socket.socket) -> None:
        said: list[str] = []
        self.heard.append(said)
        with suppress(OSError), near:
            near.sendall(b"Content-Type: auth/request\n\n")
            buffer = b""
            while raw := near.recv(4096):
                buffer += raw
                while b"\n\n" in buffer:
                    command, _, buffer = buffer.partition(b"\n\n")
                    said.append(command.decode())
                    self._answer(near, command.decode())
        with self._lock, suppress(ValueError):
            self._subscribed.remove(near)

    def _answer(self, near: socket.socket, command: str) -> None:
        if command.startswith(("auth ", "userauth ")):
            right = command in (f"auth {PASSWORD}", f"userauth u@example.org:{PASSWORD}")
            reply = self.reply_to_auth if right else REFUSED
            near.sendall(f"Content-Type: command/reply\nReply-Text: {reply}\n\n".encode())
        elif command.startswith("event json "):
            with self._lock:
                self._subscribed.append(near)
                near.sendall(b"Content-Type: command/reply\nReply-Text: +OK event listener enabled json\n\n")
        elif command.startswith("api json "):
            with self._lock:
                asked = json.loads(command.removeprefix("api json "))
                rows = {"agent list": self.agents, "member list": self.members, "queue list": self.queues}
                table = rows[asked["data"]["arguments"]]
                texts = [
                    row if table is self.queues else {key: str(value) for key, value in row.items()}
                    for row in table.values()
                ]
                body = json.dumps({**asked, "status": "success", "response": texts}) + "\n"
                near.sendall(f"Content-Type: api/response\nContent-Length: {len(body)}\n\n{body}".encode())
        else:
            body = "UP 0 years\n"
            near.sendall(f"Content-Type: api/response\nContent-Length: {len(body)}\n\n{body}".encode())

    def fire(self, at: float, name: str = "CUSTOM", **fields: Any) -> None:
        """An event to all that listen, headers as texts, in pieces."""
        event = {"Event-Name": name, "Event-Date-Timestamp": str(round(at * 1_000_000))}
        if name == "CUSTOM":
            event["Event-Subclass"] = "callcenter::info"
        event |= {
            key if key.startswith("variable_") else key.replace("_", "-"): str(value)
            for key, value in fields.items()
            if value is not None
        }
        body = json.dumps(event).encode()
        raw = b"Content-Length: %d\nContent-Type: text/event-json\n\n%b" % (len(body), body)
        with self._lock:
            for near in list(self._subscribed):
                with suppress(OSError):
                    for part in (raw[:30], raw[30:100], raw[100:]):
                        near.sendall(part)

    def _of(self, at: float, caller: Caller, action: str, **fields: Any) -> None:
        self.fire(
            at,
            CC_Queue=caller.queue,
            CC_Action=action,
            CC_Member_UUID=caller.member,
            CC_Member_Session_UUID=caller.session,
            CC_Member_CID_Number=caller.number,
            **fields,
        )

    # -- agents ---------------------------------------------------------------------------------------------------------

    def agent(self, name: str, at: float, wrap_up: int = 0) -> None:
        """They are configured, and log in."""
        with self._lock:
            self.agents[name] = {
                "name": name,
                "status": "Logged Out",
                "state": "Waiting",
                "wrap_up_time": wrap_up,
                "last_bridge_start": 0,
                "last_bridge_end": 0,
                "last_status_change": 0,
            }
            self.status(name, "Available", at)

    def status(self, name: str, status: str, at: float) -> None:
        """They say so."""
        with self._lock:
            self.agents[name].update(status=status, last_status_change=int(at))
            self.fire(at, CC_Agent=name, CC_Action="agent-status-change", CC_Agent_Status=status)

    def _state(self, name: str, state: str, at: float) -> None:
        self.agents[name]["state"] = state
        self.fire(at, CC_Agent=name, CC_Action="agent-state-change", CC_Agent_State=state)

    # -- callers --------------------------------------------------------------------------------------------------------

    def queue(self, name: str, longest: int = 0, no_agent: int = 0) -> None:
        """A queue with its limits."""
        self.queues[name] = {"name": name, "max_wait_time": longest, "max_wait_time_with_no_agent": no_agent}

    def join(self, queue: str, number: str, at: float, session: str | None = None) -> Caller:
        """Somebody comes into a queue."""
        with self._lock:
            self._numbers["m"] += 1
            name = f"m{self._numbers['m']}"
            caller = Caller(name, session or f"s{name[1:]}", queue, number, int(at))
            self.members[name] = {
                "queue": queue,
                "uuid": name,
                "session_uuid": caller.session,
                "cid_number": number,
                "joined_epoch": int(at),
                "rejoined_epoch": 0,
                "bridge_epoch": 0,
                "abandoned_epoch": 0,
                "serving_agent": "",
                "state": "Waiting",
            }
            caller.cdr = {
                "cc_side": "member",
                "cc_member_uuid": name,
                "uuid": caller.session,
                "cc_queue": queue,
                "cc_queue_joined_epoch": str(int(at)),
            }
            self.truth[queue, "calls_offered"] += 1
            self._of(at + 0.01, caller, "member-queue-start")
            self.fire(at + 0.02, CC_Queue=queue, CC_Action="members-count", CC_Count=1)
            return caller

    def ring(self, caller: Caller, agent: str, at: float) -> None:
        """An agent's telephone rings."""
        with self._lock:
            caller.agent, caller.called = agent, int(at)
            self.members[caller.member].update(state="Trying", serving_agent=agent)
            self._state(agent, "Receiving", at)
            self._of(at + 0.01, caller, "agent-offering", CC_Agent=agent, CC_Agent_Type="callback")

    def misses(self, caller: Caller, at: float, cause: str = "NO_ANSWER") -> None:
        """The agent does not answer."""
        with self._lock:
            self.members[caller.member].update(state="Waiting", serving_agent="")
            self._of(
                at, caller, "bridge-agent-fail", CC_Hangup_Cause=cause, CC_Agent=caller.agent,
                CC_Agent_Called_Time=caller.called, CC_Agent_Aborted_Time=int(at), CC_Member_Joined_Time=caller.joined,
            )  # fmt: skip
            self._state(caller.agent, "Waiting", at + 0.01)
            caller.agent = ""

    def answer(self, caller: Caller, at: float) -> None:
        """The agent takes the call, and they are connected at once."""
        with self._lock:
            caller.answered = int(at)
            self._of(at, caller, "bridge-agent-start", **self._times(caller))
            self.members[caller.member].update(
                state="Answered", serving_agent=caller.agent, bridge_epoch=int(at), session_uuid=caller.session
            )
            self.agents[caller.agent].update(last_bridge_start=int(at))
            self._state(caller.agent, "In a queue call", at + 0.02)
            caller.cdr |= {
                "cc_agent": caller.agent,
                "cc_agent_uuid": f"leg-{caller.member}",
                "cc_cause": "answered",
                "cc_queue_answered_epoch": str(int(at)),
            }
            self.truth[caller.queue, "calls_answered"] += 1
            self.truth[caller.queue, "wait_seconds"] += 1000 * (caller.answered - caller.joined)

    def hold(self, caller: Caller, at: float, begins: bool) -> None:
        """The agent holds the caller, or does no more; the switch says so twice."""
        name = "CHANNEL_HOLD" if begins else "CHANNEL_UNHOLD"
        for _ in range(2):
            self.fire(at, name, Unique_ID=f"leg-{caller.member}")

    def end(self, caller: Caller, at: float, *, handed_on: bool = False) -> None:
        """The agent's part is over: somebody hung up, or the agent transfers the caller blind, who goes on."""
        with self._lock:
            how = "BLIND_TRANSFER" if handed_on else "ANSWER"
            times = {**self._times(caller), "CC_Bridge_Terminated_Time": int(at)}
            self._of(
                at, caller, "bridge-agent-end", CC_Agent_Bridged="true", variable_endpoint_disposition=how, **times
            )
            if handed_on:
                caller.agents_leg["endpoint_disposition"] = how
                self.truth[caller.queue, "calls_transferred"] += 1
            self._over(caller, at, on=handed_on)

    def _over(self, caller: Caller, at: float, on: bool) -> None:
        self.truth[caller.queue, "calls_handled"] += 1
        self.truth[caller.queue, "talk_seconds"] += 1000 * (int(at) - caller.answered)
        self.agents[caller.agent].update(last_bridge_end=int(at))
        del self.members[caller.member]
        self._of(
            at + 0.01,
            caller,
            "member-queue-end",
            CC_Cause="Terminated",
            CC_Member_Leaving_Time=int(at),
            **self._times(caller),
        )
        self._state(caller.agent, "Waiting", at + 0.02)
        caller.agents_leg |= {
            "cc_side": "agent",
            "uuid": f"leg-{caller.member}",
            "start_epoch": str(caller.called),
            "answer_epoch": str(caller.answered),
            "end_epoch": str(int(at)),
        }
        if on:
            caller.cdr["cc_queue_terminated_epoch"] = str(int(at))
        else:
            self.record(caller, at)

    def leave(self, caller: Caller, at: float, reason: str = "BREAK_OUT", on: bool = False) -> None:
        """The caller leaves unanswered."""
        with self._lock:
            self.members[caller.member].update(state="Abandoned", session_uuid="", abandoned_epoch=int(at))
            if caller.agent:
                self.misses(caller, at, "ORIGINATOR_CANCEL")
                self.members[caller.member].update(state="Abandoned")
            self._of(
                at, caller, "member-queue-end", CC_Member_Leaving_Time=int(at), CC_Member_Joined_Time=caller.joined,
                CC_Cause="Cancel", CC_Cancel_Reason=reason,
            )  # fmt: skip
            timed_out = reason in ("TIMEOUT", "NO_AGENT_TIMEOUT")
            self.truth[caller.queue, "calls_flowed_out" if timed_out else "calls_abandoned"] += 1
            caller.cdr |= {"cc_cause": "cancel", "cc_cancel_reason": reason, "cc_queue_canceled_epoch": str(int(at))}
            if not on:
                self.record(caller, at)

    def forget(self, caller: Caller) -> None:
        """``discard-abandoned-after`` has passed."""
        with self._lock:
            del self.members[caller.member]

    def record(self, caller: Caller, at: float) -> None:
        """The caller's channel is over, and mod_json_cdr writes; their number is told by the profile of the channel only."""
        if self.cdr is None:
            return
        caller.cdr["end_epoch"] = str(int(at))
        for leg in (caller.cdr, caller.agents_leg):
            if leg:
                variables = {key: quote(value, safe="") for key, value in leg.items()}
                number = caller.number if leg is caller.cdr else ""
                record = {"variables": variables, "callflow": [{"caller_profile": {"caller_id_number": number}}]}
                (self.cdr / f"{leg['uuid']}.cdr.json").write_text(json.dumps(record))

    @staticmethod
    def _times(caller: Caller) -> dict[str, Any]:
        return {
            "CC_Agent": caller.agent,
            "CC_Agent_UUID": f"leg-{caller.member}",
            "CC_Agent_Called_Time": caller.called,
            "CC_Agent_Answered_Time": caller.answered,
            "CC_Member_Joined_Time": caller.joined,
        }
