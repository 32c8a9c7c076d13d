"""A morning of two teams on one queue, in the history: calls, one that is handed on, one that nobody answers, a rating, an agent's states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from streams.archive.replaying import Told
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.history.store import History, open_history
from streams.kpi.policy.model import Policy
from streams.pipeline import Run
from tests.support.desk import DAY, Script, moment, run_events
from tests.support.histories import messages, take

POLICY = Policy(time_zone="UTC")
#: As of when it is told, ms since 1970: its newest event's time.
NOW = round(moment("10:30:00").timestamp() * 1000)


def morning_events() -> list[e.AnyEvent]:
    """Twelve calls from 9:00 on, each 4 minutes after the one before: A2 of T2 has every third, A1 of T1 the others."""
    script = Script()
    for number in range(12):
        agent, team = ("A1", "T1") if number % 3 else ("A2", "T2")
        script.call(
            f"09:{number * 4:02}:00", f"c{number}", agent=agent, team_id=team, customer_id=f"k{number}", wait=6 + 3 * number,
            queue="orders",
        )  # fmt: skip
    script.call("09:50:00", "lost", wait=30, queue="orders", customer_id="k20")
    script.at("09:55:00", e.CallQueued, "passed", queue_id="orders", customer_id="k21")
    script.at("09:55:10", e.CallAnswered, "passed", agent_id="A1", team_id="T1", queue_id="orders", wait_seconds=10)
    script.at("09:56:00", e.CallTransferred, "passed", agent_id="A1", team_id="T1", to_queue_id="orders")
    script.at("09:56:01", e.CallEnded, "passed", agent_id="A1", team_id="T1", talk_seconds=50)
    script.at("09:56:20", e.CallAnswered, "passed", agent_id="A2", team_id="T2", queue_id="orders", wait_seconds=20)
    script.at("09:58:20", e.CallEnded, "passed", agent_id="A2", team_id="T2", talk_seconds=120, resolved=True)
    script.at("09:59:00", e.CallRated, "c1", score=2, scale="1-5")
    script.at("09:59:00", e.CallRated, "c2", score=5, scale="1-5")
    return script.events


def morning_told() -> list[Told]:
    """The same as Kafka has them, each a second after it happened."""
    return [
        Told(round(event.time.timestamp() * 1000) + 1000, ("calls", 0), offset, None, encode(event))
        for offset, event in enumerate(morning_events())
    ]


@cache
def a_morning() -> Run:
    """What comes of it, with agents' states."""
    return run_events([*morning_events(), *_states()], POLICY, records=True)


def _states() -> Iterator[e.AnyEvent]:
    """A1: a shift from 8:30 to 10:30, there from 8:50 on, away from 9:30 to 9:40, offline from 10:00 on."""
    own = {"source": "script", "agent_id": "A1", "team_id": "T1"}
    yield e.AgentScheduled(
        id="shift", time=moment("08:00:00"), starts=moment("08:30:00"), ends=moment("10:30:00"), **own
    )
    for number, (when, state) in enumerate(
        (("08:50", "available"), ("09:30", "away"), ("09:40", "available"), ("10:00", "offline"))
    ):
        yield e.AgentStateChanged(id=f"s{number}", time=moment(f"{when}:00"), state=state, **own)
    yield e.AgentStateChanged(
        id="other", source="script", time=moment("10:30:00"), agent_id="A2", team_id="T2", state="available"
    )


@cache
def morning_file() -> bytes:
    """The database of the morning, as SQLite keeps it."""
    with TemporaryDirectory() as folder:
        with open_history(None, Path(folder), POLICY) as history:
            history.begin()
            take(history, messages(a_morning()), NOW, {})
        return (Path(folder) / "history.db").read_bytes()


@contextmanager
def morning(folder: Path) -> Iterator[History]:
    """The morning's history."""
    (folder / "history.db").write_bytes(morning_file())
    with open_history(None, folder, POLICY) as history:
        yield history


__all__ = ["DAY", "NOW", "POLICY", "a_morning", "morning", "morning_file"]
