"""The ledger of days off: what is left of what was granted, after what was taken and what has expired."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from scoring.outcomes.days_off import Balance, EntryKind, Movement, balance

_ZERO = Decimal("0.00")


def move(id: int, kind: EntryKind, days: str, day: str, expires: str | None = None, of: int | None = None) -> Movement:
    return Movement(id, kind, Decimal(days), date.fromisoformat(day), expires and date.fromisoformat(expires), of)


def on(day: str, *entries: Movement) -> Balance:
    return balance(entries, date.fromisoformat(day))


def test_nobody_has_days_off_without_a_grant() -> None:
    assert on("2026-04-01") == Balance(_ZERO, _ZERO, _ZERO, _ZERO, _ZERO, None)


def test_what_is_left_is_granted_less_used_and_a_grant_counts_from_its_day() -> None:
    ledger = (
        move(1, "granted", "0.5", "2026-03-03"),
        move(2, "granted", "0.5", "2026-03-10"),
        move(3, "used", "0.5", "2026-03-20"),
    )
    assert (on("2026-03-02", *ledger[:2]).left, on("2026-03-03", *ledger[:2]).left) == (0, Decimal("0.5"))
    after = on("2026-04-01", *ledger)
    assert (after.granted, after.used, after.expired, after.left, after.next) == (
        1,
        Decimal("0.5"),
        0,
        Decimal("0.5"),
        None,
    )


def test_what_expires_first_is_taken_first_and_the_last_day_still_counts() -> None:
    ledger = (
        move(1, "granted", "1", "2026-01-10"),
        move(2, "granted", "1", "2026-02-10", "2026-05-10"),
        move(3, "used", "0.5", "2026-03-01"),
    )
    assert on("2026-04-01", *ledger).next == (date(2026, 5, 10), Decimal("0.5"))
    assert on("2026-05-10", *ledger).left == Decimal("1.5")
    gone = on("2026-05-11", *ledger)
    assert (gone.expired, gone.left, gone.next) == (Decimal("0.5"), 1, None)


def test_what_has_expired_or_is_not_yet_granted_cannot_be_taken() -> None:
    ledger = (move(1, "granted", "1", "2026-02-10", "2026-05-10"),)
    assert on("2026-05-11", *ledger, move(2, "used", "1", "2026-05-11")).owed == 1
    assert on("2026-05-11", *ledger, move(2, "used", "1", "2026-02-09")).owed == 1
    assert on("2026-05-11", *ledger, move(2, "used", "1", "2026-05-10")).owed == 0


def test_what_was_taken_back_counts_no_more_and_may_leave_somebody_owing() -> None:
    ledger = (move(1, "granted", "0.5", "2026-03-03"), move(2, "used", "0.5", "2026-03-20"))
    assert on("2026-04-01", *ledger, move(3, "cancelled", "0.5", "2026-03-20", of=2)).left == Decimal("0.5")
    owing = on("2026-04-01", *ledger, move(3, "withdrawn", "0.5", "2026-03-03", of=1))
    assert (owing.granted, owing.used, owing.owed, owing.left) == (0, Decimal("0.5"), Decimal("0.5"), Decimal("-0.5"))


def test_a_booking_counts_at_once() -> None:
    ledger = (move(1, "granted", "1", "2026-03-03"), move(2, "used", "1", "2026-12-24"))
    assert on("2026-04-01", *ledger).left == 0
