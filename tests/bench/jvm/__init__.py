"""Contenders on the JVM: Kafka Streams, Flink SQL, and Kafka's own consumer as the floor of both.

They do the simple job only: the product's kernel is Python. Maven builds them at the first call, into the user's cache.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.local import tools
from deploy.local.kafka_jars import cache_root
from tests.bench.setting import Contender

_SOURCES = Path(__file__).resolve().parent
_PACKAGE = "deskpulse.bench"
#: Module of pom.xml → about how much Maven fetches for it the first time.
_MODULES = {"kafka-streams": "90 MB", "flink-sql": "130 MB"}
#: Name, label, jobs, module, class.
_CONTENDERS = (
    ("java-consumer", "Kafka's Java consumer (JVM)", ("read", "decode"), "kafka-streams", "ConsumerFloor"),
    ("kafka-streams", "Kafka Streams (JVM)", ("sums",), "kafka-streams", "KafkaStreamsSums"),
    ("flink-sql", "Flink SQL (JVM)", ("sums",), "flink-sql", "FlinkSqlSums"),
)
_BUILD_LIMIT_SECONDS = 900
#: The heap is as large as the local broker's; the number of processors, and with it the collector (the serial one on one
#: core), is for the JVM to find out. What the frameworks keep on disk goes to TMPDIR, of which the JVM knows nothing.
_JAVA = 'exec "$0" -Xmx512m -Djava.io.tmpdir="${TMPDIR:-/tmp}" -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$@"'


class BuildError(RuntimeError):
    """Maven did not build a module; the message is its first complaint."""


def contenders(say: Callable[[str], None]) -> list[Contender]:
    """Those that can run on this machine, in the order in which they are to run.

    Built first where they are not in the cache: up to a few minutes the first time, told to ``say``. Who cannot run, for
    want of Java, its compiler, Maven or the network, is left out, with the reason told in one line.
    """
    built: dict[str, Path] = {}
    java = ""
    for module in _MODULES:
        try:
            java = tools.java().path
            built[module] = _jars(module, say)
        except (tools.MissingToolError, BuildError, OSError) as error:
            say(f"{module} is left out: {error}")
    return [
        Contender(name, label, jobs, _command(java, built[module], main))
        for name, label, jobs, module, main in _CONTENDERS
        if module in built
    ]


def _command(java: str, jars: Path, main: str) -> tuple[str, ...]:
    environment = (f"{name}={value}" for name, value in tools.JVM_ENVIRONMENT.items())
    return ("env", *environment, "sh", "-c", _JAVA, java, f"{jars}/*", f"{_PACKAGE}.{main}")


def _jars(module: str, say: Callable[[str], None]) -> Path:
    """The directory with a module's jar and those it needs: one per contents of its sources, always complete."""
    cache = cache_root() / "bench-jvm"
    jars = cache / f"{module}-{_digest(module)}"
    if jars.is_dir():
        return jars
    maven = tools.maven().path
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel lets go of it when its holder dies
        if not jars.is_dir():
            say(f"Building {module} with Maven, once (fetches about {_MODULES[module]})")
            _build(maven, module, jars)
    return jars


def _digest(module: str) -> str:
    """Of everything from which a module is built."""
    digest = hashlib.sha256()
    sources = [_SOURCES / "pom.xml"]
    for directory in ("measurement", module):
        sources += sorted(path for path in (_SOURCES / directory).rglob("*") if path.is_file())
    for source in sources:
        digest.update(f"{source.relative_to(_SOURCES)}\0{source.stat().st_size}\0".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:8]


def _build(maven: str, module: str, jars: Path) -> None:
    partial = Path(tempfile.mkdtemp(prefix=f"{jars.name}.partial-", dir=jars.parent))
    try:
        run = tools.run_maven(
            maven,
            _SOURCES / "pom.xml",
            f"-Dbuilt={partial}",
            f"--projects={module}",
            "--also-make",
            "package",
            timeout=_BUILD_LIMIT_SECONDS,
        )
        if run.returncode != 0:
            raise BuildError(f"Maven ended with exit code {run.returncode}: {_complaint(run.stdout)}")
        (partial / "jars").rename(jars)
    except subprocess.TimeoutExpired as late:
        raise BuildError(
            f"Maven was not done within {_BUILD_LIMIT_SECONDS} s; run again, it goes on from there"
        ) from late
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _complaint(said: str) -> str:
    lines = [line.strip() for line in tools.COLOUR.sub("", said).splitlines() if line.strip()]
    # A line that ends with a colon is a heading ("COMPILATION ERROR :").
    errors = [line.removeprefix("[ERROR]").strip() for line in lines if line.startswith("[ERROR]") and line[-1] != ":"]
    return (errors or lines[-1:] or ["it said nothing"])[0]
