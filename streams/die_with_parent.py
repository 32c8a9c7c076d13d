"""Run a command that the kernel kills as soon as the process that asked for it is gone, even by ``kill -9`` (Linux).

A script of its own, ``die_with_parent.py PARENT_PID COMMAND…``, which turns into the command: Python code between fork
and exec of a threaded program (``preexec_fn``) can deadlock, and Python 3.12 and later warn of it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def bound(command: Sequence[str]) -> list[str]:
    """The command that does the same as ``command`` and ends with this process; itself where the kernel cannot see to that."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def die_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` ends. Raises OSError where the kernel cannot, SystemExit where it is gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died before the line above
        sys.exit(f"the process {parent} that started this is gone")


def main(parent: int, command: list[str]) -> None:
    """Replace this process by ``command``. Raises OSError where the command cannot be run."""
    die_with(parent)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
