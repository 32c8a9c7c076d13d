"""Prometheus Alertmanager, API v2: it is told which incidents stand, and says which of them somebody has silenced there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import msgspec

from streams.contracts.outputs import Incident
from streams.languages import Language
from streams.notifier.channels import http
from streams.notifier.channels.channel import Gathering, Outcome, Parcel
from streams.notifier.message import encoded
from streams.notifier.rates import Rate

_Kind = TypeVar("_Kind")
#: How often it is told that an incident still stands, and how long it believes so. Seconds.
AGAIN_SECONDS, LASTS_SECONDS = 60.0, 300.0
#: What tells our alerts from others'.
_SOURCE = "deskpulse"
#: Labels of an incident that become labels of its alert, where there is one of them.
_PLACES = ("site", "team", "queue", "agent", "channel")


@dataclass(frozen=True)
class SilencedThere:
    """An incident that a silence of Alertmanager's holds; ``id``: of the silence."""

    incident: str
    id: str
    by: str
    note: str
    until: datetime


class Alertmanager:
    """An Alertmanager at ``url``, with what stands before ``/api/v2``; user and password may be in it."""

    gathering: Gathering = "state"
    rates: tuple[Rate, ...] = ()
    deadline_seconds = http.DEADLINE_SECONDS + http.CONNECT_SECONDS

    def __init__(self, url: str, client: Callable[[], httpx.Client] = http.client) -> None:
        self._url = f"{url.rstrip('/')}/api/v2"
        self.robot = http.robot_of(url)
        self._http = client()

    def send(self, parcel: Parcel) -> Outcome:
        """Tell how incidents stand now; to tell the same again changes nothing."""
        headers = {"Content-Type": "application/json"}
        answer = http.post(self._http, f"{self._url}/alerts", encoded(parcel.data["alerts"]), headers, parcel.at)
        if isinstance(answer, Outcome):
            return answer
        if answer.status < 300:
            return Outcome("told", answer.shown)
        return Outcome("refused" if answer.status == 400 else "unavailable", answer.shown, answer.wait_seconds)

    def silenced(self) -> list[SilencedThere]:
        """Our incidents that a silence holds. Raises ConnectionError where it does not say."""
        try:
            asked = {"filter": f'source="{_SOURCE}"', "active": "false", "silenced": "true", "inhibited": "false"}
            alerts = self._asked("alerts", asked, list[dict[str, Any]])
            held = {id for alert in alerts for id in alert["status"]["silencedBy"]}
            silences = {id: self._asked(f"silence/{id}", {}, dict[str, Any]) for id in sorted(held)}
            return [
                SilencedThere(
                    alert["labels"]["incident"],
                    id,
                    str(silences[id].get("createdBy") or "alertmanager"),
                    str(silences[id].get("comment") or ""),
                    datetime.fromisoformat(silences[id]["endsAt"]),
                )
                for alert in alerts
                for id in alert["status"]["silencedBy"]
            ]
        except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
            raise ConnectionError(f"Alertmanager does not say what is silenced: {type(error).__name__}") from error

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _asked(self, path: str, asked: dict[str, str], kind: type[_Kind]) -> _Kind:
        answer = self._http.get(f"{self._url}/{path}", params=asked).raise_for_status()
        return msgspec.json.decode(answer.content, type=kind)


def alert(
    incident: Incident, now: datetime, language: Language, page: str | None, contacts: str | None = None
) -> dict[str, Any]:
    """An incident as an alert. While it stands it lasts for a while from now on; when it is over it has ended.

    ``contacts``: where those behind it are.
    """
    places = {name: ids[0] for name in _PLACES if len(ids := incident.labels.get(name, [])) == 1}
    newest = incident.steps[-1] if incident.steps else None
    name = incident.name_zh if language == "zh" else incident.name_en
    reason = (newest.reason_zh if language == "zh" else newest.reason_en) if newest else ""
    runbook = incident.runbook_zh if language == "zh" else incident.runbook_en
    ends = incident.resolved or (
        incident.changed if incident.status == "resolved" else now + timedelta(seconds=LASTS_SECONDS)
    )
    return {
        "labels": {
            **places,
            "alertname": incident.rule,
            "source": _SOURCE,
            "incident": incident.id,
            "entity": incident.entity,
            "severity": incident.severity,
        },
        "annotations": {
            "summary": name,
            "description": reason,
            **({"runbook": runbook} if runbook else {}),
            **({"contacts": contacts} if contacts else {}),
        },
        "startsAt": incident.opened.isoformat(),
        "endsAt": ends.isoformat(),
        **({"generatorURL": page} if page else {}),
    }


def alerts(
    incidents: Sequence[Incident],
    now: datetime,
    language: Language,
    page: str | None,
    behind: Callable[[Incident], str | None] = lambda _: None,
) -> dict[str, Any]:
    """What Alertmanager is told of incidents."""
    return {"alerts": [alert(incident, now, language, page, behind(incident)) for incident in incidents]}
