"""``python -m deploy.grafana.make``: writes ``boards/*.json``. Whoever wants another panel changes the tables here, and not the JSON.

A panel is a title, a unit of Grafana's (``short``, ``s``, ``bytes``, ``percentunit``, ``reqps``), and its lines: legend → expression.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BOARDS = Path(__file__).parent / "boards"
_SOURCE = {"type": "prometheus", "uid": "prometheus"}
_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 2


@dataclass(frozen=True)
class Panel:
    """One picture. ``kind``: ``timeseries``, or ``stat`` for the newest value in large."""

    title: str
    unit: str
    lines: Mapping[str, str]
    about: str = ""
    kind: str = "timeseries"


@dataclass(frozen=True)
class Board:
    """One page of panels, two in a row. ``id``: its file and its address."""

    id: str
    title: str
    panels: Sequence[Panel]


OPERATION = Board(
    "operation",
    "Deskpulse: operation",
    [
        Panel("Processes that answer", "short", {"{{job}}": 'sum by (job) (up{job=~"deskpulse-.+"})'}, kind="stat"),
        Panel(
            "Firing alerts",
            "short",
            {"{{alertname}}": 'sum by (alertname) (ALERTS{alertstate="firing"})'},
            "docs/runbooks.md has a section for each",
            kind="stat",
        ),
        Panel("Events", "reqps", {"in": "deskpulse:events_in:rate5m"}),
        Panel("Messages that wait", "short", {"lag": "deskpulse:lag"}, "Figures are late by lag ÷ rate"),
        Panel(
            "Refused, by reason",
            "reqps",
            {"{{reason}}": "sum by (reason) (reason_source:deskpulse_dead_letters:rate5m)"},
        ),
        Panel("Open incidents", "short", {"open": "max(deskpulse_incidents_open)"}),
        Panel(
            "Service level by queue",
            "percentunit",
            {"{{id}}": 'max by (id) (deskpulse_kpi_service_level_20s{kind="queue",part=""})'},
            "Today; every KPI of the catalogue is a gauge like this one: docs/operations.md",
        ),
        Panel("Screens", "short", {"{{instance}}": "deskpulse_wallboard_screens"}),
        Panel("Memory", "bytes", {"{{job}} {{instance}}": 'process_resident_memory_bytes{job=~"deskpulse-.+"}'}),
    ],
)
WORKERS = Board(
    "workers",
    "Deskpulse: workers",
    [
        Panel(
            "Cores busy",
            "short",
            {"{{instance}}": 'rate(process_cpu_seconds_total{job="deskpulse-worker"}[5m])'},
            "One worker uses one core: near 1 all the time, it wants another beside it",
        ),
        Panel("Messages that wait, by topic", "short", {"{{topic}}": "sum by (topic) (deskpulse_lag)"}),
        Panel("Events in, by topic", "reqps", {"{{topic}}": "sum by (topic) (rate(deskpulse_events_in_total[5m]))"}),
        Panel(
            "Late and duplicate events",
            "reqps",
            {
                "late {{topic}}": "sum by (topic) (rate(deskpulse_events_late_total[5m]))",
                "duplicate {{topic}}": "sum by (topic) (rate(deskpulse_events_duplicate_total[5m]))",
            },
        ),
        Panel(
            "Time of a batch",
            "s",
            {
                "p99 {{stage}}": "histogram_quantile(0.99, sum by (stage, le) (rate(deskpulse_batch_seconds_bucket[5m])))"
            },
        ),
        Panel(
            "Entities and customers in memory",
            "short",
            {"entities {{instance}}": "deskpulse_entities", "customers {{instance}}": "deskpulse_customers"},
        ),
        Panel("Memory", "bytes", {"{{instance}}": 'process_resident_memory_bytes{job="deskpulse-worker"}'}),
        Panel(
            "Time to read state", "s", {"{{instance}}": "deskpulse_restore_seconds"}, "Of the partitions last taken up"
        ),
    ],
)
KAFKA = Board(
    "kafka",
    "Deskpulse: Kafka, as the processes see it",
    [
        Panel(
            "Time of a checkpoint", "s", {"p99": "deskpulse:cycle_seconds:p99_5m"}, "One Kafka transaction a partition"
        ),
        Panel("Checkpoints", "reqps", {"checkpoints": "sum(rate(deskpulse_cycle_seconds_count[5m]))"}),
        Panel("Checkpoints that failed", "short", {"{{instance}}": "increase(deskpulse_setbacks_total[15m])"}),
        Panel("Lag by partition", "short", {"{{topic}} {{partition}}": "sum by (topic, partition) (deskpulse_lag)"}),
        Panel(
            "Deleted before they were read",
            "short",
            {"{{topic}}": "sum by (topic) (increase(deskpulse_events_expired_total[1h]))"},
        ),
        Panel(
            "Sent to the wrong partition",
            "reqps",
            {"{{topic}}": "sum by (topic) (rate(deskpulse_events_misplaced_total[5m]))"},
        ),
        Panel("Messages that wait for incidents", "short", {"waiting": "max(deskpulse_incidents_behind)"}),
        Panel("Messages that wait for the notifier", "short", {"waiting": "max(deskpulse_notifier_lag)"}),
        Panel(
            "Events by the gateway",
            "reqps",
            {"{{source}}": "sum by (source) (rate(deskpulse_gateway_events_total[5m]))"},
            "Taken and acknowledged",
        ),
        Panel(
            "Refused or delayed by the gateway",
            "short",
            {
                "{{source}} {{reason}}": "sum by (source, reason) (increase(deskpulse_gateway_refused_total[1h]))",
                "{{source}} come again: {{why}}": "sum by (source, why) (increase(deskpulse_gateway_delayed_total[1h]))",
            },
        ),
    ],
)
ALERTS = Board(
    "alerts",
    "Deskpulse: alerts delivered",
    [
        Panel(
            "Alerts, by rule",
            "short",
            {"{{rule}} {{status}}": "sum by (rule, status) (increase(deskpulse_alerts_total[1h]))"},
        ),
        Panel(
            "Steps of incidents", "short", {"{{kind}}": "sum by (kind) (increase(deskpulse_incident_steps_total[1h]))"}
        ),
        Panel(
            "Messages",
            "short",
            {"{{channel}} {{state}}": "sum by (channel, state) (increase(deskpulse_notifier_messages_total[1h]))"},
        ),
        Panel(
            "Tries, by what came of them",
            "short",
            {"{{channel}} {{result}}": "sum by (channel, result) (increase(deskpulse_notifier_tries_total[1h]))"},
        ),
        Panel(
            "Channels that work",
            "short",
            {"{{channel}}": "min by (channel) (deskpulse_notifier_channel_up)"},
            kind="stat",
        ),
        Panel("Messages that wait", "short", {"{{channel}}": "max by (channel) (deskpulse_notifier_waiting)"}),
        Panel(
            "From a step to the channel's answer",
            "s",
            {
                "p99 {{channel}}": "histogram_quantile(0.99, sum by (channel, le) (rate(deskpulse_notifier_delay_seconds_bucket[15m])))"
            },
        ),
        Panel("What people did", "short", {"{{kind}}": "sum by (kind) (increase(deskpulse_alert_actions_total[1h]))"}),
    ],
)
MONTH_END = Board(
    "month-end",
    "Deskpulse: month end",
    [
        Panel(
            "Requests to the score server",
            "reqps",
            {"{{status}}": 'sum by (status) (job_status:deskpulse_http_requests:rate5m{job="deskpulse-scores"})'},
        ),
        Panel("Time of an answer", "s", {"p99": 'job:deskpulse_http_request_seconds:p99_5m{job="deskpulse-scores"}'}),
        Panel("Faults", "percentunit", {"share": 'job:deskpulse_http_faults:share5m{job="deskpulse-scores"}'}),
        Panel(
            "Memory",
            "bytes",
            {"{{instance}}": 'process_resident_memory_bytes{job="deskpulse-scores"}'},
            "Ranks are everybody's: it grows with the people",
        ),
    ],
)
ALL = (OPERATION, WORKERS, KAFKA, ALERTS, MONTH_END)


def text(board: Board) -> str:
    """The board as Grafana reads it from a file."""
    made: dict[str, Any] = {
        "uid": f"deskpulse-{board.id}",
        "title": board.title,
        "tags": ["deskpulse"],
        "timezone": "browser",
        "editable": False,
        "refresh": "30s",
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "title": "Deskpulse", "tags": ["deskpulse"], "asDropdown": True}],
        "panels": [_panel(number, panel) for number, panel in enumerate(board.panels)],
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    return {
        "id": number + 1,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for at, (legend, expression) in enumerate(panel.lines.items())
        ],
    }


if __name__ == "__main__":
    for board in ALL:
        (BOARDS / f"{board.id}.json").write_text(text(board), encoding="utf-8")
