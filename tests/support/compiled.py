"""The compiled build, made as users make it, beside the source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support import ROOT


class NoCompilerError(RuntimeError):
    """There is no C compiler; the message says what to install."""


def compiled(folder: Path, **environment: str) -> Path:
    """Build a copy of this project in ``folder`` (made here) with these variables; returns the directory to import it from.

    Raises NoCompilerError, and RuntimeError with the last words of a build that failed.
    """
    compiler = str(sysconfig.get_config_var("CC")).split()[0]
    if not (shutil.which(compiler) and Path(sysconfig.get_path("include"), "Python.h").exists()):
        raise NoCompilerError(f"to compile there must be {compiler} and Python.h: apt-get install gcc python3-dev")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "var", "build", "dist", "__pycache__"))
    environment = os.environ | {"DESKPULSE_COMPILED": "1"} | environment
    wheel = ("wheel", "--no-deps", "--no-build-isolation", "-w", "dist", ".")
    for command in (wheel, ("install", "--no-deps", "--target", "site", "--find-links", "dist", "deskpulse")):
        ran = subprocess.run(
            (sys.executable, "-m", "pip", *command), cwd=folder, env=environment, capture_output=True, text=True
        )
        if ran.returncode:
            raise RuntimeError("\n".join((ran.stdout + ran.stderr).splitlines()[-20:]))
    return folder / "site"
