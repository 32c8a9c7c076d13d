"""A real PostgreSQL on this machine, in a directory of its own: for tests and trials."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local import tools
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess, ServerStartError, silent
from streams.addresses import HOST

_READY_WITHIN_SECONDS = 30.0
_USER = "deskpulse"
#: PostgreSQL does not run as root; Debian's package makes this account for it.
_ACCOUNT = "postgres"


class LocalPostgres:
    """PostgreSQL on 127.0.0.1 whose data are in ``data_dir``. Its log is ``data_dir/postgres.log``.

    :param data_dir: where it keeps its data; as root, a directory that the account ``postgres`` can reach.
    """

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir.absolute()
        self._port: int | None = None
        self._server: ServerProcess | None = None

    @property
    def address(self) -> str:
        """URL of its database ``postgres``. Raises RuntimeError before the first start."""
        if self._port is None:
            raise RuntimeError("this PostgreSQL has not been started yet, so it has no address")
        return f"postgresql://{_USER}@{HOST}:{self._port}/postgres"

    def start(self, progress: Callable[[str], None] = silent) -> str:
        """Start the server, with new data where there are none, and return its URL once it answers.

        Raises MissingToolError where there is no server to run, ServerStartError where it does not come up.
        """
        tool = tools.postgres()
        data, log = self._directory / "data", self._directory / "postgres.log"
        self._directory.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self._directory, _ACCOUNT, _ACCOUNT)
        if not data.exists():
            self._run([str(Path(tool.path).with_name("initdb")), "-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8",
                       "--locale=C.UTF-8", "--no-sync"])  # fmt: skip
        self._port = free_port()
        progress(f"Starting PostgreSQL at {self.address}")
        options = ["-c", "fsync=off", "-c", f"unix_socket_directories={self._directory}"]
        self._server = ServerProcess(
            _as_account([tool.path, "-D", str(data), "-h", HOST, "-p", str(self._port), *options]),
            directory=self._directory,
            log=log,
        )
        self._server.start()
        self._wait_until_ready(Path(tool.path).with_name("pg_isready"))
        return self.address

    def stop(self) -> None:
        """Stop the server; nothing happens if it does not run."""
        if self._server is not None:
            self._server.stop()

    def _run(self, command: list[str]) -> None:
        made = subprocess.run(_as_account(command), capture_output=True, text=True, cwd=self._directory)
        if made.returncode != 0:
            raise ServerStartError(f"{command[0]} failed: {made.stderr.strip()}")

    def _wait_until_ready(self, isready: Path) -> None:
        assert self._server is not None
        deadline = time.monotonic() + _READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            if self._server.exit_code is not None:
                break
            asked = [str(isready), "-q", "-h", HOST, "-p", str(self._port)]
            if subprocess.run(asked, capture_output=True).returncode == 0:
                return
            time.sleep(0.05)
        self._server.kill()
        raise ServerStartError(
            f"PostgreSQL did not come up. The end of {self._server.log}:\n{self._server.last_words()}"
        )


def _as_account(command: list[str]) -> list[str]:
    """The command as an account that PostgreSQL runs as, still ending with this process."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--clear-groups", "--pdeathsig=KILL", *command]
