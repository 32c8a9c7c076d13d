"""A real PostgreSQL on this machine, in a directory of its own: for tests and trials."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from deploy.local import tools
from deploy.local.process import ServerProcess, ServerStartError
from deploy.local.server import LocalServer
from streams.addresses import HOST

_USER = "deskpulse"
#: PostgreSQL does not run as root; Debian's package makes this account for it.
_ACCOUNT = "postgres"


class LocalPostgres(LocalServer):
    """PostgreSQL on 127.0.0.1 whose data are in ``data_dir``: as root, a directory that the account ``postgres`` can reach.

    ``address``: URL of its database ``postgres``.

    :param options: of the server, as its command line takes them: ``-c``, ``ssl=on`` …
    """

    name: ClassVar[str] = "PostgreSQL"

    #: The program that asks whether it is ready.
    _asks: Path

    def __init__(self, data_dir: Path, port: int | None = None, options: Sequence[str] = ()) -> None:
        super().__init__(data_dir, port)
        self._options = tuple(options)

    def _address(self, port: int) -> str:
        return f"postgresql://{_USER}@{HOST}:{port}/postgres"

    def _begin(self, progress: Callable[[str], None]) -> ServerProcess:
        tool, data = tools.postgres(), self._directory / "data"
        self._asks = Path(tool.path).with_name("pg_isready")
        self._directory.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self._directory, _ACCOUNT, _ACCOUNT)
        if not data.exists():
            self._run([str(Path(tool.path).with_name("initdb")), "-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8",
                       "--locale=C.UTF-8", "--no-sync"])  # fmt: skip
        port = self._take_port()
        progress(f"Starting PostgreSQL at {self.address}")
        options = ["-c", "fsync=off", "-c", f"unix_socket_directories={self._directory}", *self._options]
        server = ServerProcess(
            _as_account([tool.path, "-D", str(data), "-h", HOST, "-p", str(port), *options]),
            directory=self._directory,
            log=self.log,
        )
        server.start()
        return server

    def _answers(self) -> bool:
        asked = [str(self._asks), "-q", "-h", HOST, "-p", str(self._port)]
        return subprocess.run(asked, capture_output=True).returncode == 0

    def _run(self, command: list[str]) -> None:
        made = subprocess.run(_as_account(command), capture_output=True, text=True, cwd=self._directory)
        if made.returncode != 0:
            raise ServerStartError(f"{command[0]} failed: {made.stderr.strip()}")


def _as_account(command: list[str]) -> list[str]:
    """The command as an account that PostgreSQL runs as, still ending with this process."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--clear-groups", "--pdeathsig=KILL", *command]
