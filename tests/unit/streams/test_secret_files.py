"""Secrets from files: of the settings, of the program's children, of whatever names one."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scoring.connector.mapping import MappingError, filled_in
from streams.cli import app
from streams.secret_files import secret
from streams.settings import SECRETS, Settings, environment


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("redis://:hush@redis:6379/0\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_stand_in_a_file(name: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = f"DESKPULSE_{name.upper()}"
    monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(f"{variable}_FILE", str(file))
    settings = Settings()
    assert getattr(settings, name) == "redis://:hush@redis:6379/0"
    # A worker among several is given the secret itself, and the file's name is still in what it inherits.
    for key, value in environment(settings).items():
        monkeypatch.setenv(key, value)
    assert getattr(Settings(), name) == "redis://:hush@redis:6379/0"
    assert getattr(Settings(**{name: "given"}), name) == "given"


def test_secrets_are_all_that_is_not_shown() -> None:
    hidden = {name for name, field in Settings.model_fields.items() if not field.repr}
    assert hidden <= set(SECRETS) <= set(Settings.model_fields)


@pytest.mark.parametrize(
    ("content", "given", "why"),
    [
        (None, "", r"A_FILE=\S+secret cannot be read: .*No such file"),
        (b"", "", r"A_FILE=\S+secret is empty: write the secret into it"),
        (b" \n", "", r"A_FILE=\S+secret is empty"),
        (b"\xff\xfe", "", r"A_FILE=\S+secret cannot be read"),
        (b"hush", "other", r"A and A_FILE are both set"),
    ],
)
def test_what_is_wrong_is_said(content: bytes | None, given: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=why) as refused:
        secret("A", {"A": given, "A_FILE": str(path)})
    assert "hush" not in str(refused.value)


def test_a_command_says_so(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["topics", "create"], env={"DESKPULSE_DATABASE_FILE": str(tmp_path / "gone")})
    assert ran.exit_code == 1
    assert "DESKPULSE_DATABASE_FILE=" in ran.stderr
    assert "cannot be read" in ran.stderr


def test_tokens_of_the_hr_system_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HR_TOKEN_FILE", str(file))
    assert filled_in("Bearer ${HR_TOKEN}") == "Bearer redis://:hush@redis:6379/0"
    file.unlink()
    with pytest.raises(MappingError, match=r"HR_TOKEN_FILE=.* cannot be read"):
        filled_in("Bearer ${HR_TOKEN}")
