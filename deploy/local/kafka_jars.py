"""Apache Kafka's jars: fetched once from Maven Central into a cache that all local brokers of a user share."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

from deploy.local import tools
from deploy.local.process import ServerStartError

POM = Path(__file__).with_name("kafka") / "pom.xml"
_FETCH_LIMIT_SECONDS = 900


def cache_root() -> Path:
    """Directory of everything that Deskpulse caches: ``$XDG_CACHE_HOME/deskpulse``, else ``~/.cache/deskpulse``."""
    # The XDG specification has relative paths ignored.
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "deskpulse"


def kafka_version() -> str:
    """The version of Kafka that is run here, as pom.xml pins it."""
    version = ET.parse(POM).findtext("{*}properties/{*}kafka.version")
    if version is None:
        raise ValueError(f"{POM} has no property kafka.version")
    return version


def cached_jars(cache: Path) -> Path:
    """Where the jars are, or will be once fetched: a directory per Kafka version and per contents of pom.xml."""
    return cache / f"kafka-{kafka_version()}-{hashlib.sha256(POM.read_bytes()).hexdigest()[:8]}"


def fetch_jars(progress: Callable[[str], None], cache: Path | None = None) -> Path:
    """The directory with Kafka's jars, which Maven fills at the first call.

    A directory of that name is always complete: the jars are copied beside it first. Of two processes that fetch at
    the same time, the second waits for the first. Raises MissingToolError without Maven, ServerStartError where Maven
    fails.
    """
    cache = cache or cache_root()
    jars = cached_jars(cache)
    if jars.is_dir():
        return jars
    maven = tools.maven()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel lets go of it when its holder dies
        if not jars.is_dir():
            progress(f"Fetching Apache Kafka {kafka_version()} with Maven, once (about 45 MB)")
            _fetch(maven.path, jars)
    return jars


def _fetch(maven: str, jars: Path) -> None:
    partial = Path(tempfile.mkdtemp(prefix=f"{jars.name}.partial-", dir=jars.parent))
    try:
        run = tools.run_maven(
            maven,
            POM,
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={partial}",
            timeout=_FETCH_LIMIT_SECONDS,
        )
        if run.returncode != 0:
            raise ServerStartError(
                f"Maven could not fetch Apache Kafka {kafka_version()} (exit code {run.returncode}):\n"
                f"{_tail(run.stdout)}\n"
                "What to do: check that this machine reaches Maven Central, or the mirror in ~/.m2/settings.xml, and "
                "run again; or use a Kafka that runs already (--broker HOST:PORT)."
            )
        partial.chmod(0o755)  # mkdtemp keeps others out
        partial.rename(jars)
    except subprocess.TimeoutExpired as late:
        raise ServerStartError(
            f"Maven did not fetch Apache Kafka within {_FETCH_LIMIT_SECONDS} s; run again, it goes on from there"
        ) from late
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _tail(text: str) -> str:
    return "\n".join(tools.COLOUR.sub("", text).strip().splitlines()[-15:])
