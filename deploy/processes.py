"""The processes of an operation, and where each says how it is. Image, compose file, units, scrapes and alerts are held to this table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """One kind of process. ``command``: what follows ``deskpulse``; ``option``, ``port``: of the port of ``/metrics`` and ``/healthz``."""

    name: str
    command: tuple[str, ...]
    option: str
    port: int


PROCESSES = (
    Process("worker", ("worker",), "--metrics-port", 9464),
    Process("incidents", ("incidents",), "--metrics-port", 9474),
    Process("notifier", ("notifier",), "--port", 8092),
    Process("wallboard", ("wallboard",), "--port", 8090),
    Process("scores", ("score", "serve"), "--port", 8091),
    Process("history", ("history",), "--metrics-port", 9475),
    Process("web", ("web",), "--port", 8093),
    Process("gateway", ("gateway",), "--port", 8094),
)


def health_port(arguments: Sequence[str]) -> int | None:
    """The port on which a process that was started by these arguments says how it is; None where it is none of them, or says nothing."""
    for process in PROCESSES:
        if _contains(arguments, process.command):
            return _port(arguments, process.option, process.port) or None
    return None


def _contains(arguments: Sequence[str], command: Sequence[str]) -> bool:
    length = len(command)
    return any(tuple(arguments[at : at + length]) == tuple(command) for at in range(len(arguments)))


def _port(arguments: Sequence[str], option: str, default: int) -> int:
    for at, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == option:
            return int(value or arguments[at + 1])
    return default
