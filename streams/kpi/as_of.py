"""As of when figures that mature are judged: the one place that says so, whoever reads them.

It is the operation's own clock: the newest event that it has taken in where it is on the event clock, the machine's where it is on
that one; of files, their newest event. Whoever asks may give another moment: the figures are what they are, but what had matured
by then is judged as it was.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from streams.kpi.policy.versions import AnyPolicy


def parse_as_of(text: str) -> date | datetime:
    """A day like ``2026-04-08`` or a moment like ``2026-04-08T18:00`` (without an offset: of the operation's zone).

    Raises ValueError for anything else.
    """
    try:
        return date.fromisoformat(text) if len(text) == len("2026-04-08") else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no day or moment: write 2026-04-08 for its beginning, or 2026-04-08T18:00"
        ) from None


def moment_of(given: date | datetime, policy: AnyPolicy, machine: datetime) -> datetime:
    """The moment that is given, in the operation's zone; of a day its beginning.

    Raises ValueError for one that has not come by the ``machine``'s clock: what has matured by then nobody can know.
    """
    if not isinstance(given, datetime):
        moment = begin_of(given, policy)
    elif given.tzinfo is None:
        moment = given.replace(tzinfo=policy.zone)
    else:
        moment = given.astimezone(policy.zone)
    if moment > machine:
        now = moment_said(machine.astimezone(policy.zone))
        raise ValueError(
            f"as of {moment_said(moment)}: that is still to come, as it is {now}; nobody knows what will have come by then; give an "
            "earlier day or moment"
        )
    return moment


def begin_of(day: date, policy: AnyPolicy) -> datetime:
    """The moment at which a day of the operation begins."""
    return datetime.combine(day, time(), policy.zone) + timedelta(milliseconds=policy.day_starts_ms)


def day_of(moment: datetime, policy: AnyPolicy) -> date:
    """The day of the operation in which a moment lies."""
    return (moment.astimezone(policy.zone) - timedelta(milliseconds=policy.day_starts_ms)).date()


def moment_said(moment: datetime) -> str:
    """For people and files: ``2026-04-08 18:00+08:00``."""
    return moment.isoformat(" ", "minutes")
