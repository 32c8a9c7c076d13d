"""``deskpulse`` itself: what it is made of is imported when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from streams.cli import app


def cli(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    return result.output


def test_help_shows_every_command_in_a_line() -> None:
    shown = cli("--help")
    for name in ("doctor", "score", "worker", "wallboard", "topics", "schema"):
        assert f"│ {name} " in shown


def test_every_command_teaches() -> None:
    group = get_command(app)
    for name in group.list_commands(None):  # type: ignore[attr-defined]
        result = CliRunner().invoke(app, [name, "--help"])
        assert (result.exit_code, f"deskpulse {name}" in result.output or f" {name} " in result.output) == (0, True)


@pytest.mark.parametrize(("typed", "meant"), [("wroker", "worker"), ("dead-letter", "dead-letters")])
def test_what_is_mistyped_is_guessed(typed: str, meant: str) -> None:
    assert f"Did you mean '{meant}'" in cli(typed)


def test_the_version_is_said_without_what_only_some_commands_need() -> None:
    """Half a second of CPU and more each; a shell that completes, a script that asks for the version, and every worker pays for them."""
    heavy = {
        "aiohttp",
        "aiokafka",
        "alembic",
        "fastapi",
        "faust",
        "kafka",
        "openpyxl",
        "pydantic",
        "redis",
        "sqlalchemy",
    }
    program = (
        "import sys\nfrom streams.cli import main\nsys.argv = ['deskpulse', '--version']\n"
        "try:\n    main()\nexcept SystemExit:\n    print(*sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    version, _, modules = said.partition("\n")
    assert version.startswith("deskpulse ")
    assert heavy.isdisjoint(modules.split())
