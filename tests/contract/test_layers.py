"""The layers of the code are kept, and the file that keeps them is red for each kind of import that it forbids."""

from __future__ import annotations

import ast
import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGES = ("streams", "scoring", "deploy")
LAYERS = configparser.ConfigParser()
LAYERS.read(ROOT / ".importlinter")
#: The packages of the pure core.
CORE = LAYERS["importlinter:contract:no-io"]["source_modules"].split()

#: What is put in, where, and the contract that must be broken by it.
FORBIDDEN = [
    ("streams/kpi/spec.py", "from streams.windows.clock import Days", "Layers of the streams package"),
    ("streams/contacts/calls.py", "from streams.entities.entity import Entity", "Layers of the streams package"),
    ("streams/contacts/calls.py", "from streams.alerts.rules import Rule", "Layers of the streams package"),
    ("scoring/rules/base.py", "from scoring.cards.model import Card", "Layers of the scoring package"),
    ("deploy/local/ports.py", "from deploy.doctor import examine", "Layers of the deploy package"),
    ("streams/worker/app.py", "import scoring.period", "What deploys and what scores"),
    ("streams/worker/app.py", "from deploy.local.ports import free_port", "What deploys and what scores"),
    ("deploy/doctor.py", "import scoring.period", "What deploys and what scores"),
    ("streams/contacts/calls.py", "import redis", "The pure core touches neither"),
    ("streams/entities/entity.py", "import os", "The pure core touches neither"),
    ("streams/contacts/calls.py", "import logging", "The pure core reads no file"),
    ("scoring/outcomes/load.py", "from pathlib import Path", "The pure core reads no file"),
    ("streams/entities/stage.py", "from streams.system_clock import machine_ms", "The pure core reads no file"),
    ("scoring/runs/run.py", "from streams.entities.daily_facts import whole", "Scoring knows the KPIs"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and their contracts, to spoil."""
    folder = tmp_path_factory.mktemp("layers")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def linted(folder: Path) -> str:
    """What import-linter says of a copy, in one line."""
    program = "from importlinter.cli import lint_imports_command as main; main(['--no-cache'])"
    ran = subprocess.run(
        (sys.executable, "-c", f"import sys; sys.path.insert(0, '.'); {program}"),
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    return " ".join(ran.stdout.split())


@pytest.mark.timeout(600)
def test_each_forbidden_kind_of_import_is_found(copy: Path) -> None:
    assert "0 broken" in linted(copy)
    kept = []
    for file, line, contract in FORBIDDEN:
        path = copy / file
        sound = path.read_text(encoding="utf-8")
        # As an import for types only: that is one too.
        spoiled = f"from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    {line}\n"
        path.write_text(
            sound.replace("from __future__ import annotations\n", f"from __future__ import annotations\n{spoiled}", 1)
        )
        said = linted(copy)
        path.write_text(sound, encoding="utf-8")
        if contract not in said.partition("Contracts: ")[2]:
            kept.append(f"{file}: {line}")
    assert kept == []


def test_the_core_opens_no_file() -> None:
    """What no import shows: ``open(…)``, ``path.read_text()``, resources of a package."""
    found = []
    for module in CORE:
        base = ROOT / module.replace(".", "/")
        for path in sorted(base.rglob("*.py")) if base.is_dir() else [base.with_suffix(".py")]:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                opens = (
                    isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print")
                )
                reads = isinstance(node, ast.Attribute) and node.attr in (
                    "read_text",
                    "read_bytes",
                    "write_text",
                    "open",
                )
                resources = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("importlib.resources")
                if opens or reads or resources:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
