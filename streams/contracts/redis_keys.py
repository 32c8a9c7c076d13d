"""What lies where in Redis: written by workers and history, read by whoever shows figures. Names are put behind ``Settings.redis_key``.

Everything here can be lost and is written anew.
"""

from __future__ import annotations

#: String: the operation's now, its mode and zone, and when it was written (JSON).
CLOCK = "clock"
#: String: the workers' policy (JSON), by which figures are made.
POLICY = "policy"
#: String: which life of this Redis it is; another one means that everything was lost.
EPOCH = "epoch"
#: Hash: agent → ``Presence``.
PRESENCE = "presence"
#: Hash: an alert's key → the ``Alert`` that stands.
ALERTS = "alerts"
#: List: the newest steps of alerts, the newest first; so many are kept.
RECENT_ALERTS, RECENT_ALERTS_KEPT = "alerts:recent", 200
#: Hash: partition number → messages that wait there.
BEHIND = "behind"
#: Hash: customer id that many callers share → ``SharedId``.
SHARED = "shared"
#: Hash: ``kind|word`` or ``topic|word`` that no list of the policy has → in about how many events. Gone a while after the last one.
UNKNOWN, UNKNOWN_SECONDS = "unknown", 7 * 86_400

#: Hash: agent → ``Marked``, of those who differ from their team; string: ``MarkedDays``, by which days. Made once a day by the history,
#: and gone a while after nobody makes them any more.
MARKS, MARKED, MARKED_SECONDS = "marks", "marked", 3 * 86_400
#: String: all targets as the workers have them (JSON: a list of ``Target``), whose owners are ids.
TARGETS = "targets"


def now(kind: str) -> str:
    """Hash: entity id → ``Totals``, of the entities of a kind (``ENTITY_KINDS``)."""
    return f"now:{kind}"
