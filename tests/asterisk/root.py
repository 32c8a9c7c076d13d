"""Where a real Asterisk is: Debian 11's (16.28), in a directory tree of its own that it is run in by chroot. Made once, some minutes."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support import ROOT

#: Kept from run to run; outside of what git knows.
CACHE = ROOT / "var" / "asterisk"
_RELEASE, _MIRROR = "bullseye", os.environ.get("DESKPULSE_TEST_DEBIAN", "http://deb.debian.org/debian")
_NEEDED = {"debootstrap": "debootstrap", "sipp": "sip-tester", "chroot": "coreutils", "unshare": "util-linux"}


def asterisk_root(say: Callable[[str], None]) -> Path:
    """The directory tree with Asterisk in it, made where it is missing. Ends the program where this machine cannot."""
    lacking = sorted({package for tool, package in _NEEDED.items() if shutil.which(tool) is None})
    if lacking:
        sys.exit(
            f"make asterisk needs {', '.join(lacking)}: apt-get install --no-install-recommends {' '.join(lacking)}"
        )
    if os.geteuid() != 0:
        sys.exit("make asterisk runs Asterisk by chroot, which only root may: run it as root, or in a container")
    CACHE.mkdir(parents=True, exist_ok=True)
    root = CACHE / "root"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE / "made").exists():
            say(f"making {root}: Debian {_RELEASE} and its Asterisk, 530 MB; some minutes, once")
            _make(root)
            (CACHE / "made").touch()
    return root


def _make(root: Path) -> None:
    log = CACHE / "make.log"
    with log.open("wb") as out:

        def run(*command: str) -> None:
            # Mounts that debootstrap makes and does not take back end with the command.
            done = subprocess.run(["unshare", "--mount", *command], stdout=out, stderr=out, check=False)
            if done.returncode:
                out.flush()
                sys.exit(f"{command[0]} failed; its last words in {log}:\n{log.read_text(errors='replace')[-1500:]}")

        if root.exists():
            shutil.rmtree(root)
        run("debootstrap", "--variant=minbase", _RELEASE, str(root), _MIRROR)
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")  # nothing is started by being installed
        policy.chmod(0o755)
        run("chroot", str(root), "apt-get", "install", "-y", "--no-install-recommends", "asterisk")
        run("chroot", str(root), "apt-get", "clean")
