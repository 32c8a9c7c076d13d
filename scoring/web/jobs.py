"""What takes long is done by a process of its own, so that the desk goes on for everybody: one at a time, each with how far it has come.

A page that is loaded anew finds what is running; what was done is kept until the server ends. What a process was in the middle of when
the server ended was not done: a run is written whole or not at all.
"""

from __future__ import annotations

import atexit
import json
import pickle
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Lock, Semaphore, Thread
from typing import Any, Literal, TypeAlias

from scoring.store.runs import RefusedStepError
from scoring.workflow.gather import Operation
from streams.die_with_parent import bound

State: TypeAlias = Literal["waiting", "running", "done", "refused"]
#: Kinds that change a run: of one run there is one of these at a time.
CHANGING = frozenset({"prepare", "approve", "decide"})
#: Those that are kept with what came of them.
_MOST = 40
_BROKE = "this was broken off, and nothing was changed; try again. The server's log says why"


@dataclass
class Job:
    """One piece of work. ``stage``: what is being done; ``result``: what came of it, as JSON; ``status``, ``why``: why it was refused."""

    id: str
    kind: str
    card: str
    period: str
    author: str
    begun: datetime
    arguments: Mapping[str, Any]
    folder: str | None = None
    state: State = "waiting"
    stage: str | None = None
    ended: datetime | None = None
    status: int = 200
    why: str | None = None
    result: Any = None

    @property
    def is_over(self) -> bool:
        """Was it done, or refused?"""
        return self.state in ("done", "refused")


#: Does the work of a job in a process; is called with each line that it tells. Returns when it has ended.
Run: TypeAlias = Callable[[Operation, Job, Callable[[Mapping[str, Any]], None]], None]


def run_apart(operation: Operation, job: Job, told: Callable[[Mapping[str, Any]], None]) -> None:
    """Do it in a process of its own, which ends with this one."""
    command = bound([sys.executable, "-m", "scoring.web.process"])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        order = (operation, job.kind, job.card, job.period, job.author, dict(job.arguments), job.folder)
        with process.stdin as pipe:
            pickle.dump(order, pipe)
        for line in process.stdout:
            told(json.loads(line))


@dataclass
class Jobs:
    """All of them, the newest last."""

    operation: Operation
    _kept: dict[str, Job] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    #: One process at a time: each uses a core.
    _turn: Semaphore = field(default_factory=lambda: Semaphore(1))
    _files: Path | None = None

    def start(self, kind: str, card: str, period: str, author: str, **arguments: Any) -> Job:
        """Begin one, or find the same that is running. Raises RefusedStepError where another changes the run just now."""
        with self._lock:
            going = [one for one in self._kept.values() if (one.card, one.period) == (card, period) and not one.is_over]
            same = next((one for one in going if (one.kind, one.arguments) == (kind, arguments)), None)
            if same is not None:
                return same
            other = next((one for one in going if one.kind in CHANGING and kind in CHANGING), None)
            if other is not None:
                raise RefusedStepError(
                    f"{other.author} is changing this run just now; wait until that is done, then look again"
                )
            id = secrets.token_hex(8)
            job = Job(id, kind, card, period, author, self.operation.now(), arguments, self._folder(kind, id))
            self._kept[id] = job
            for old in [one.id for one in self._kept.values() if one.is_over][: max(0, len(self._kept) - _MOST)]:
                del self._kept[old]
        Thread(target=self._do, args=(job,), name=f"month-{kind}", daemon=True).start()
        return job

    def find(self, id: str) -> Job | None:
        """The one with this id."""
        return self._kept.get(id)

    def of(self, card: str | None = None, period: str | None = None) -> list[Job]:
        """Those of a run, or all, the newest first."""
        with self._lock:
            found = list(self._kept.values())[::-1]
        return [one for one in found if (card in (None, one.card)) and (period in (None, one.period))]

    def _folder(self, kind: str, id: str) -> str | None:
        if kind != "files":
            return None
        if self._files is None:
            self._files = Path(mkdtemp(prefix="deskpulse-month-"))
            atexit.register(rmtree, self._files, ignore_errors=True)
        made = self._files / id
        made.mkdir()
        return str(made)

    def _do(self, job: Job) -> None:
        with self._turn:
            job.state = "running"
            ended: Mapping[str, Any] = {"status": 500, "why": _BROKE}

            def told(line: Mapping[str, Any]) -> None:
                nonlocal ended
                if "stage" in line:
                    job.stage = line["stage"]
                else:
                    ended = line

            try:
                run_apart(self.operation, job, told)
            finally:
                job.ended = self.operation.now()
                if "result" in ended:
                    job.result = ended["result"]
                    job.state = "done"
                else:
                    job.status, job.why = ended["status"], ended["why"]
                    job.state = "refused"
