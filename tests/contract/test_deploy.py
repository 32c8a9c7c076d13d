"""What deploys against the program: image, compose file and units start commands that there are, with variables and ports that there are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema_rs
import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from deploy.health import main as health
from deploy.processes import PROCESSES, Process, health_port
from streams.cli import app
from streams.notifier.config import load
from streams.settings import SECRETS, Settings
from tests.conftest import lacking
from tests.support import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE_FILE = DEPLOY / "compose" / "compose.yaml"
COMPOSE = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "DESKPULSE_IMAGE" in service["image"]}
UNITS = DEPLOY / "systemd"
#: Variables that are read elsewhere than in the settings.
ELSEWHERE = {"DESKPULSE_LOG", "DESKPULSE_LOG_FORMAT", "DESKPULSE_LANGUAGE", "DESKPULSE_METRICS_HOST"}
#: Of the compose file's own.
OF_COMPOSE = {"DESKPULSE_IMAGE"}
SMALL_MEGABYTES = 2048


def parsed(arguments: list[str]) -> tuple[tuple[str, ...], Any]:
    """The command that is started by these arguments, and its context. Raises UsageError where there is none such."""
    # Of typer's own copy of click, which has no types.
    command: Any = get_command(app)
    name, names, context = "deskpulse", [], None
    while True:
        context = command.make_context(name, list(arguments), parent=context)
        if not isinstance(command, TyperGroup):
            return tuple(names), context
        left = [*context._protected_args, *context.args]
        if not left and command.invoke_without_command:  # a process with commands beside it
            return tuple(names), context
        name, command, arguments = command.resolve_command(context, left)
        names.append(name)


def variables(text: str) -> set[str]:
    return set(re.findall(r"\bDESKPULSE_[A-Z_]+\b", text)) - OF_COMPOSE


def known() -> set[str]:
    return (
        {f"DESKPULSE_{name.upper()}" for name in Settings.model_fields}
        | {f"DESKPULSE_{name.upper()}_FILE" for name in SECRETS}
        | ELSEWHERE
    )


def default(text: str) -> str:
    """``${NAME:-value}`` as it is where NAME is not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def commands(service: Mapping[str, Any]) -> Iterator[list[str]]:
    """What a service of ours starts, without `deskpulse`."""
    if "entrypoint" not in service:
        yield [default(word) for word in service["command"]]
        return
    assert service["entrypoint"] == ["/bin/sh", "-ec"]
    for line in service["command"][0].split("&&"):
        name, *arguments = line.split()
        assert name == "deskpulse"
        yield arguments


# -- processes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("process", PROCESSES, ids=lambda one: one.name)
def test_the_table_of_processes_is_true(process: Process) -> None:
    names, context = parsed(list(process.command))
    assert names == process.command
    (option,) = (one for one in context.command.params if process.option in one.opts)
    assert option.default == process.port


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("/opt/deskpulse/bin/python /opt/deskpulse/bin/deskpulse worker", 9464),
        ("python deskpulse worker --workers auto --metrics-port 9500", 9500),
        ("python deskpulse --broker k:9092 worker --metrics-port=9501", 9501),
        ("python deskpulse worker --metrics-port 0", None),
        ("python deskpulse wallboard --host 0.0.0.0", 8090),
        ("python deskpulse score serve --port 80", 80),
        ("python deskpulse score run --month 2026-03", None),
        ("/bin/sh -ec deskpulse topics create", None),
    ],
)
def test_a_container_s_process_is_known_by_its_command_line(line: str, port: int | None) -> None:
    assert health_port(line.split(" ")) == port


def test_a_health_check_tells_what_the_process_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Page(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self) -> None:
            assert self.path == "/healthz"
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(b'{"state": "stalled"}')

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    first = tmp_path / "cmdline"
    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    first.write_bytes(f"deskpulse\0worker\0--metrics-port\0{server.server_port}\0".encode())
    assert health(first) == 0
    Page.status = 503
    assert health(first) == 1
    assert '503 {"state": "stalled"}' in capsys.readouterr().out
    server.shutdown()
    server.server_close()
    assert health(first) == 1
    assert "does not answer" in capsys.readouterr().out
    first.write_bytes(b"deskpulse\0kpi\0list\0")
    assert health(first) == 0


# -- compose -----------------------------------------------------------------------------------------------------------


def test_the_compose_file_is_what_its_specification_says() -> None:
    schema = (Path(__file__).parent / "compose-spec" / "compose-spec.json").read_text(encoding="utf-8")
    validator = jsonschema_rs.validator_for(json.loads(schema))
    assert [str(error) for error in validator.iter_errors(COMPOSE)] == []
    wrong = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8").replace("mem_limit:", "memory_limit:"))
    assert not validator.is_valid(wrong)


def test_every_process_is_a_service_and_every_service_of_ours_a_command() -> None:
    started = {}
    for name, service in OURS.items():
        for arguments in commands(service):
            started[parsed(arguments)[0]] = name
    assert {one.command: one.name for one in PROCESSES}.items() <= started.items()
    assert started[("topics", "create")] == "setup"
    upgrades = {names for names in started if names[1:] == ("database", "upgrade")}
    assert upgrades == {("people", "database", "upgrade"), ("score", "database", "upgrade"), ("notify", "database", "upgrade")}  # fmt: skip


def test_a_command_or_an_option_that_there_is_not_is_found() -> None:
    for wrong in (["workers"], ["worker", "--metric-port", "1"], ["score", "server"], ["wallboard", "--port", "x"]):
        with pytest.raises(Exception, match=r"No such|valid integer") as refused:
            parsed(wrong)
        assert "UsageError" in {kind.__name__ for kind in type(refused.value).__mro__}


@pytest.mark.parametrize("name", OURS)
def test_a_service_has_variables_that_there_are(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {key: default(str(value)) for key, value in OURS[name]["environment"].items()}
    own = {key for key in given if key.startswith("DESKPULSE_")}
    assert own <= known()
    for key in own:
        file = given[key].removeprefix("/run/secrets/")
        if file != given[key]:
            assert file in OURS[name]["secrets"]
            (tmp_path / file).write_text("redis://:hush@redis:6379/0", encoding="utf-8")
            given[key] = str(tmp_path / file)
        monkeypatch.setenv(key, given[key])
    settings = Settings()
    assert settings.broker == "kafka:9092"
    assert {settings.database, settings.pseudonym_key, settings.redis} == {"redis://:hush@redis:6379/0"}


def test_the_notifier_has_the_secrets_that_its_file_names() -> None:
    path = DEPLOY / "compose" / "config" / "notify.yaml"
    assert load(path).channels
    named = set(re.findall(r"\$([A-Z][A-Z0-9_]*)", path.read_text(encoding="utf-8").split("\nlanguage")[1]))
    given = {name.removesuffix("_FILE") for name in OURS["notifier"]["environment"]}
    assert "ACKNOWLEDGE_KEY" in named
    assert named <= given


def test_every_variable_that_a_file_names_is_one_of_the_program() -> None:
    files = [
        *(DEPLOY / "compose").glob("*.*"), *UNITS.rglob("*.*"), DEPLOY / "image" / "Dockerfile", ROOT / "docs" / "deploy.md",
    ]  # fmt: skip
    told = {name: path.name for path in files if path.is_file() for name in variables(path.read_text(encoding="utf-8"))}
    assert len(told) > 10
    # DESKPULSE_COMPILED is of the build.
    assert {name: path for name, path in told.items() if name not in known() | {"DESKPULSE_COMPILED"}} == {}


def test_ports_are_those_at_which_the_processes_answer() -> None:
    ports = {one.name: one.port for one in PROCESSES}
    for name, service in OURS.items():
        for port in service.get("ports", ()):
            host, _, inside = default(port).rpartition(":")
            assert int(inside) == ports[name]
            assert host == f"127.0.0.1:{inside}"  # no door of ours has a lock: they belong behind a proxy


def test_images_have_a_version_and_containers_bounds() -> None:
    for name, service in SERVICES.items():
        tag = default(service["image"]).rpartition(":")[2]
        assert re.search(r"\d|local", tag), name
        assert service["mem_limit"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["logging"]["options"]["max-size"], name
        assert name in OURS or "test" in service["healthcheck"], name
    for name, service in OURS.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name


def test_the_small_profile_fits_its_memory() -> None:
    small = {name: service for name, service in SERVICES.items() if "profiles" not in service and name != "setup"}
    taken = {name: int(default(service["mem_limit"]).removesuffix("m")) for name, service in small.items()}
    assert sum(taken.values()) <= SMALL_MEGABYTES, taken
    assert (
        int(re.search(r"-Xmx(\d+)m", default(SERVICES["kafka"]["environment"]["KAFKA_HEAP_OPTS"]))[1])
        < 0.6 * taken["kafka"]
    )  # type: ignore[index]


def test_the_script_makes_every_secret_once(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "compose" / "secrets.sh", tmp_path)
    first = subprocess.run(["sh", "secrets.sh"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "secrets").iterdir()}
    files = {f"./secrets/{name}": name for name in made}
    assert {one["file"]: name for name, one in COMPOSE["secrets"].items()} == files
    assert first.count("is made") == len(made)
    assert made["database"].startswith("postgresql://deskpulse:")
    assert all(made["redis_password"].strip() in made[name] for name in ("redis", "redis_conf"))
    assert len({made[name] for name in made if name.endswith(("password", "key"))}) == 5
    assert not subprocess.run(["sh", "secrets.sh"], cwd=tmp_path, capture_output=True, check=True).stdout
    assert made == {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "secrets").iterdir()}


def test_what_may_be_set_is_in_the_example() -> None:
    named = set(re.findall(r"\$\{(\w+):-", COMPOSE_FILE.read_text(encoding="utf-8")))
    told = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "compose" / "env.example").read_text(encoding="utf-8"), re.M))
    assert set(told) == named
    for name, value in told.items():
        assert f"${{{name}:-{value}}}" in COMPOSE_FILE.read_text(encoding="utf-8")


# -- the image ---------------------------------------------------------------------------------------------------------


def test_the_dockerfile_has_no_finding() -> None:
    tool = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run([tool, "--no-color", DEPLOY / "image" / "Dockerfile"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_the_image_is_built_of_what_is_named() -> None:
    text = (DEPLOY / "image" / "Dockerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.M) for word in line.split()}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
    assert "deploy/compose/secrets" in ignored
    assert re.search(r"^USER 10001:10001$", text, re.M)


# -- units -------------------------------------------------------------------------------------------------------------


def unit_commands() -> dict[str, list[str]]:
    """Process → what its unit starts, without `deskpulse`."""
    template = (UNITS / "deskpulse@.service").read_text(encoding="utf-8")
    wanted = re.findall(r"deskpulse@(\w+)\.service", (UNITS / "deskpulse.target").read_text(encoding="utf-8"))
    found = {}
    for name in wanted:
        own = UNITS / f"deskpulse@{name}.service.d" / "command.conf"
        line = re.findall(r"^ExecStart=(.+)$", own.read_text(encoding="utf-8") if own.exists() else template, re.M)[-1]
        program, *arguments = line.replace("%i", name).split()
        assert program == "/opt/deskpulse/bin/deskpulse"
        found[name] = arguments
    return found


def test_units_start_every_process() -> None:
    started = {name: parsed(arguments)[0] for name, arguments in unit_commands().items()}
    assert started == {one.name: one.command for one in PROCESSES}
    assert {path.name for path in UNITS.glob("*.d")} <= {f"deskpulse@{name}.service.d" for name in started}


def test_the_example_of_the_environment_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = re.findall(r"^(\w+)=(.*)$", (UNITS / "environment.example").read_text(encoding="utf-8"), re.M)
    assert {name for name, _ in lines} <= known()
    for name, value in lines:
        if value.startswith("/etc/deskpulse/secrets/"):
            (tmp_path / "secret").write_text("redis://redis-1", encoding="utf-8")
            value = str(tmp_path / "secret")
        monkeypatch.setenv(name, value)
    assert Settings().customer_ids == "refuse"


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    if (tool := shutil.which("systemd-analyze")) is None:
        lacking("systemd-analyze is not installed: apt-get install systemd")
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for path in (*tmp_path.glob("*.service"), *tmp_path.rglob("*.conf")):
        path.write_text(
            path.read_text(encoding="utf-8").replace("/opt/deskpulse/bin/deskpulse", "/bin/true"), encoding="utf-8"
        )
    for name in unit_commands():
        (tmp_path / f"deskpulse@{name}.service").symlink_to("deskpulse@.service")

    def verified() -> str:
        ran = subprocess.run(
            [tool, "verify", "--man=no", "deskpulse.target", *(f"deskpulse@{name}.service" for name in unit_commands())],
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, capture_output=True, text=True,
        )  # fmt: skip
        return ran.stderr

    assert verified() == ""
    template = tmp_path / "deskpulse@.service"
    template.write_text(template.read_text(encoding="utf-8").replace("ProtectHome=", "ProtectHouse="), encoding="utf-8")
    assert "ProtectHouse" in verified()
