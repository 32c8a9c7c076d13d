"""The locks name what is installed by its digest, and nowhere where it is fetched from."""

from __future__ import annotations

import re

import pytest

from tests.support import ROOT


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("requirements.lock", 50),
        ("requirements-bench.lock", 50),
        ("requirements-docs.lock", 25),
        ("requirements-web.lock", 0),
        ("requirements-run.lock", 50),
        ("requirements-wheel.lock", 1),
    ],
)
def test_everything_has_a_digest(name: str, least: int) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8").strip())
    packages = [entry for entry in entries if not entry.startswith("#")]
    assert len(packages) > least
    for entry in packages:
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
        assert "://" not in entry, entry


def test_the_image_has_what_was_tested() -> None:
    """The image's locks have the versions that the tests run with, and what the program needs, no more."""
    tested, run, wheel = (
        dict(
            re.findall(
                r"^([\w.-]+)==(\S+)", (ROOT / f"requirements{name}.lock").read_text(encoding="utf-8"), re.MULTILINE
            )
        )
        for name in ("", "-run", "-wheel")
    )
    assert run.items() <= tested.items()
    assert wheel.items() <= tested.items()
    assert {"faust-streaming", "psycopg-binary"} <= set(run)
    assert not {"pytest", "mypy", "confluent-kafka", "cython"} & set(run)


def test_the_install_holds_to_them() -> None:
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in made.splitlines() if "pip install" in line]
    assert len(installs) == 6
    for line in installs:
        # This package itself is built with what is installed: a build of its own would fetch its tools unseen.
        assert "--require-hashes -r" in line or "--no-deps --no-build-isolation -e" in line, line
