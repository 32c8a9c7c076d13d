"""A job's process: reads what it is to do, does it, and tells a line for each stage and one for what came of it."""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Mapping
from typing import Any, BinaryIO, TypeAlias

import typer

from scoring.runs.canonical_json import written
from scoring.store.database import StoreError
from scoring.store.runs import AbsentError, RefusedStepError
from scoring.web.work import do
from scoring.workflow.gather import Operation

#: What people can mend, and the status that fits: the first that it is.
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (AbsentError, 404), (RefusedStepError, 409), (ValueError, 422), (StoreError, 503), (ConnectionError, 503),
)  # fmt: skip
_NO_KAFKA = "the operation's Kafka does not answer; the server's log says more"
_BROKE = "this was broken off, and nothing was changed; try again. The server's log says why"


#: Operation, kind, card, period, author, arguments, and the folder for files.
Order: TypeAlias = tuple[Operation, str, str, str, str, Mapping[str, Any], str | None]


def refusal_of(error: Exception) -> Mapping[str, Any]:
    """Status and reason of what is in the way."""
    if isinstance(error, typer.Exit):
        return {"status": 503, "why": _NO_KAFKA}
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), None)
    if status is None:
        traceback.print_exception(error)
        return {"status": 500, "why": _BROKE}
    return {"status": status, "why": str(error)}


def _tell(pipe: BinaryIO, line: Mapping[str, Any]) -> None:
    pipe.write(written(line) + b"\n")
    pipe.flush()


def main() -> None:
    """Do what stands on the standard input."""
    order = pickle.load(sys.stdin.buffer)
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as pipe:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever is printed is for the log
        try:
            operation, kind, card, period, author, arguments, folder = order
            made = do(
                operation, kind, card, period, author, arguments, folder, lambda stage: _tell(pipe, {"stage": stage})
            )
            _tell(pipe, {"result": made})
        except Exception as error:
            _tell(pipe, refusal_of(error))


if __name__ == "__main__":
    main()
