"""A real Alertmanager: it takes our incidents, groups them, forgets those that are over; a silence there becomes one here, and ends here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.contracts.outputs import AlertAction
from streams.notifier.bridge import Bridge
from streams.notifier.channels import http
from streams.notifier.channels.alertmanager import Alertmanager
from streams.notifier.config import read
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import instant
from tests.conftest import lacking
from tests.integration.test_notifier import Receiver, receiving
from tests.integration.test_screens import eventually
from tests.support.notifying import Notifier, incident
from tests.support.operation import answers
from tests.support.robots import FakeRobot

pytestmark = [pytest.mark.services, pytest.mark.timeout(120)]

CONFIG = """
route: {receiver: hook, group_by: [alertname], group_wait: 500ms, group_interval: 500ms, repeat_interval: 1h}
receivers:
  - {name: hook, webhook_configs: [{url: "URL"}]}
"""


class There(FakeRobot):
    """Where the notifier finds it, in a robot's place."""

    address: str

    @property
    def url(self) -> str:
        return self.address

    def client(self) -> httpx.Client:
        return http.client()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[tuple[str, Receiver]]:
    """Its address, and what its own webhook got."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        lacking(
            "Alertmanager is not installed: apt-get install prometheus-alertmanager, or the archive of prometheus.io"
        )
    with receiving() as (there, url):
        file, port = tmp_path / "alertmanager.yml", free_port()
        file.write_text(CONFIG.replace("URL", url), encoding="utf-8")
        process = ServerProcess(
            [
                program, f"--config.file={file}", f"--storage.path={tmp_path / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
            ],
            directory=tmp_path,
            log=tmp_path / "alertmanager.log",
        )  # fmt: skip
        process.start()
        try:
            answers(f"http://127.0.0.1:{port}/-/ready", process)
            yield f"http://127.0.0.1:{port}", there
        finally:
            process.stop()


def test_it_takes_groups_and_silences_ours_and_a_silence_there_is_seen_here(
    alertmanager: tuple[str, Receiver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, there = alertmanager
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    raw: dict[str, Any] = {
        "language": "en", "channels": {"ops": {"type": "alertmanager", "url": "$OPS_URL"}}, "routes": {"all": {"to": ["ops"]}},
    }  # fmt: skip
    robot = There("webhook", lambda: 0.0)
    robot.address = address
    here = Notifier(tmp_path, read(raw), {"ops": robot}, Settings(data_dir=tmp_path), now=machine_ms())
    channel, acts = here.channels["ops"], list[AlertAction]()
    assert isinstance(channel, Alertmanager)
    bridge = Bridge("ops", channel, here.journal, acts.append, "en", None)

    def kept(number: int) -> bool:
        bridge.keep(machine_ms())
        return len(acts) == number

    at = instant(here.now)
    here.hears(*(incident(f"i{number}", at=at) for number in (1, 2)))
    here.works()
    assert set(here.states().values()) == {"told"}
    # Grouped: one notification has both.
    eventually(lambda: any(len(one[1]["alerts"]) == 2 for one in there.got), 20)
    assert there.got[-1][1]["groupLabels"] == {"alertname": "low_satisfaction"}
    labels = there.got[-1][1]["alerts"][0]["labels"]
    assert (labels["severity"], labels["team"], labels["source"]) == ("critical", "T2", "deskpulse")

    until = at + timedelta(hours=1)
    silence = {
        "matchers": [{"name": "incident", "value": "i1", "isRegex": False, "isEqual": True}],
        "startsAt": at.isoformat(), "endsAt": until.isoformat(), "createdBy": "ops-1", "comment": "we know",
    }  # fmt: skip
    made = httpx.post(f"{address}/api/v2/silences", json=silence, trust_env=False).raise_for_status().json()
    eventually(lambda: kept(1), 20)
    assert (acts[0].kind, acts[0].incident, acts[0].by, acts[0].note) == ("silence", "i1", "ops-1", "we know")
    assert acts[0].until is not None
    assert abs((acts[0].until - until).total_seconds()) < 1
    httpx.delete(f"{address}/api/v2/silence/{made['silenceID']}", trust_env=False).raise_for_status()
    eventually(lambda: kept(2), 20)
    assert (acts[1].kind, acts[1].silence) == ("unsilence", acts[0].id)

    here.now = machine_ms()
    here.hears(incident("i2", kinds=("opened", "resolved"), at=at, every=0.001))
    here.works()

    def standing() -> list[str]:
        found = httpx.get(f"{address}/api/v2/alerts", trust_env=False).json()
        return [one["labels"]["incident"] for one in found]

    eventually(lambda: standing() == ["i1"], 20)
    here.close()
