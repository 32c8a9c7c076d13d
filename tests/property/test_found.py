"""Every example that was ever found is right now; and a fault that is there is found, written down, and found again from there."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.property import found
from tests.support import ROOT

for module in sorted(Path(__file__).parent.glob("test_*.py")):
    importlib.import_module(f"tests.property.{module.stem}")


@pytest.mark.parametrize("path", found.examples(), ids=lambda path: path.stem)
def test_what_was_once_wrong_is_right(path: Path) -> None:
    found.again(path)


def test_each_example_has_its_check() -> None:
    assert {path.stem.rsplit("-", 1)[0] for path in found.examples()} <= found.CHECKS.keys()


_PLANTED = """
from hypothesis import given
from hypothesis import strategies as st

from tests.property import found

found.FOLDER = found.Path(__file__).with_name("found")

@found.check
def no_sum_is_large(numbers):
    assert sum(numbers) < 1000

@given(st.lists(st.integers(0, 500)))
def test_planted(numbers):
    no_sum_is_large(numbers=numbers)
"""


def test_a_planted_fault_is_found_written_down_and_found_again(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text(_PLANTED, encoding="utf-8")
    ran = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "test_planted.py")),
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT), "DESKPULSE_HUNT": "20260101T0000"}, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 1, ran.stdout + ran.stderr
    path = tmp_path / "found" / "no_sum_is_large-20260101T0000.json"
    assert sum(json.loads(path.read_text(encoding="utf-8"))["numbers"]) == 1000, "the smallest"
    assert list(path.parent.iterdir()) == [path]


def test_an_example_is_asked_of_its_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "FOLDER", tmp_path)
    monkeypatch.setattr(found, "CHECKS", {})
    asked = []

    @found.check
    def odd(number: int) -> None:
        asked.append(number)
        assert number % 2

    with pytest.raises(AssertionError):
        odd(number=4)
    odd(number=5)
    (path,) = found.examples()
    with pytest.raises(AssertionError):
        found.again(path)
    assert asked == [4, 5, 4]
