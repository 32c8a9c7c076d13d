"""Prometheus metrics of the process that makes incidents. This list is the reference: names, labels, meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

STEPS = Counter("deskpulse_incident_steps", "Steps of incidents", ["rule", "kind"])
OPEN = Gauge("deskpulse_incidents_open", "Incidents that are not over")
ACTIONS = Counter("deskpulse_alert_actions", "What people did about alerts", ["kind"])
REFUSED = Counter(
    "deskpulse_alert_actions_refused",
    "Messages on alerts and alert-actions of which nothing came, by reason",
    ["topic", "reason"],
)
ACTIVE = Gauge(
    "deskpulse_incidents_active", "1 where this process makes incidents, 0 where it stands by for another one"
)
BEHIND = Gauge("deskpulse_incidents_behind", "Messages of alerts and actions that wait")
