"""Prometheus metrics of the wallboard, beside those of all HTTP servers (``streams/doors.py``). This list is the reference."""

from __future__ import annotations

from prometheus_client import Gauge

SCREENS = Gauge("deskpulse_wallboard_screens", "Screens and programs that follow the stream")
OUTAGE = Gauge("deskpulse_wallboard_outage", "1 while there is nothing to show, as of the last look: the log says why")
