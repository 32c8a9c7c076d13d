"""Looks for what nobody has thought of: the property tests again and again, on other examples each time, until the time is up.

``make hunt MINUTES=60``. What is found is written to ``tests/property/found`` and stays a test for good: mend the fault, commit both.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time

from streams.system_clock import machine_ms
from streams.windows.clock import instant
from tests.property.found import FOLDER
from tests.support import ROOT


def main() -> int:
    """Exit code 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.hunt", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to look")
    parser.add_argument(
        "tests", nargs="*", default=["tests/property"], help="which tests; all of tests/property by default"
    )
    given = parser.parse_args()
    ends, rounds = time.monotonic() + given.minutes * 60, 0
    stamp = f"{instant(machine_ms()):%Y%m%dT%H%M}"
    known = set(FOLDER.glob("*.json"))
    while time.monotonic() < ends:
        rounds += 1
        seed = secrets.randbelow(2**32)
        ran = subprocess.run(
            (
                sys.executable, "-m", "pytest", "-q", "-n", "auto", "--no-header", "--timeout", "1200",
                f"--hypothesis-seed={seed}", *given.tests,
            ),
            cwd=ROOT, env=os.environ | {"DESKPULSE_HUNT": stamp}, capture_output=True, text=True,
        )  # fmt: skip
        last = ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ran.stderr[-200:]
        print(f"round {rounds}, seed {seed}: {last}; {max(0, ends - time.monotonic()) / 60:.0f} min left", flush=True)
        if ran.returncode:
            print(ran.stdout[-8000:] + ran.stderr[-2000:])
            for path in sorted(set(FOLDER.glob("*.json")) - known):
                print(f"written down: {path.relative_to(ROOT)}")
            return 1
    print(f"nothing found in {rounds} rounds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
