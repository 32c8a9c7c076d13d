"""The log as objects, a line each, whoever writes it: the program, the interpreter, the server, a process of several."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from streams import doors
from streams.cli import app
from streams.log_format import JsonFormatter, of_child

_PROGRAM = """
import logging
from streams.commands.shared.logs import log_to_stderr
log_to_stderr()
logging.getLogger("streams.worker").info("ready with %d partitions", 8)
logging.getLogger("aiokafka").info("not ours, and no warning")
logging.getLogger("aiokafka").warning("two\\nlines, 两行")
1 / 0
"""


def test_every_line_is_an_object() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env={"DESKPULSE_LOG_FORMAT": "json", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, encoding="utf-8",
    )  # fmt: skip
    first, second, last = (json.loads(line) for line in ran.stderr.splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("INFO", "streams.worker", "ready with 8 partitions")
    assert first["time"].endswith("+00:00")
    assert second["message"] == "two\nlines, 两行"
    assert last["level"] == "CRITICAL"
    assert "ZeroDivisionError" in last["error"]


def test_the_server_s_own_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_LOG_FORMAT", "json")
    made = doors._log_config()["formatters"]
    assert {one["()"] for one in made.values()} == {"streams.log_format.formatter"}
    monkeypatch.delenv("DESKPULSE_LOG_FORMAT")
    assert "uvicorn.logging.DefaultFormatter" in str(doors._log_config()["formatters"])


def test_a_line_of_one_of_several_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_child("worker 2", "ready") == "worker 2 | ready"
    monkeypatch.setenv("DESKPULSE_LOG_FORMAT", "json")
    record = logging.LogRecord("streams", logging.INFO, __file__, 1, "ready", None, None)
    assert json.loads(of_child("worker 2", JsonFormatter().format(record))) == {
        **json.loads(JsonFormatter().format(record)),
        "process": "worker 2",
    }
    for odd in ("Fatal Python error: Segmentation fault", "[1]", '"a"', ""):
        assert json.loads(of_child("worker 2", odd)) == {"message": odd, "process": "worker 2"}


@pytest.mark.parametrize("wrong", [{"DESKPULSE_LOG_FORMAT": "yaml"}, {"DESKPULSE_LOG": "loud"}])
def test_what_is_no_format_or_level_is_said(wrong: dict[str, str]) -> None:
    ran = CliRunner().invoke(app, ["incidents"], env=wrong)
    assert ran.exit_code == 1
    assert "DESKPULSE_LOG is DEBUG, INFO, WARNING or ERROR, DESKPULSE_LOG_FORMAT text or json" in ran.stderr
