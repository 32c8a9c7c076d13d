"""Rolling windows against brute force, and sums against the laws of adding."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.outputs import Sums
from streams.kpi.measures import add, merged
from streams.kpi.stats.confidence import wilson
from streams.windows.rolling import NEVER, ROLLING, Rolling

_sums = st.dictionaries(st.sampled_from(["m1", "m2"]), st.integers(-5, 5).filter(bool), max_size=2)
_steps = st.lists(st.tuples(st.integers(0, 60), _sums), max_size=40)


@given(steps=_steps, advances=st.lists(st.integers(0, 70), min_size=1, max_size=10))
def test_rolling_is_brute_force(steps: list[tuple[int, Sums]], advances: list[int]) -> None:
    rolling, told = Rolling(now=0), []
    for index, (minute, sums) in enumerate(steps):
        now = max([0, *advances[: 1 + index % len(advances)]])
        rolling.advance(now)
        if rolling.add(minute, sums):
            told.append((minute, sums))
        else:
            assert rolling.now - minute >= 30
        for name, minutes in ROLLING.items():
            inside = [part for at, part in told if rolling.now - minutes < at <= rolling.now]
            assert rolling.sums[name] == merged(inside), (name, rolling.now)


#: What happens next: so many minutes pass, then sums come for a minute that lies so far from now; late ones and ones ahead.
_happenings = st.lists(st.tuples(st.integers(0, 45), st.integers(-40, 40), _sums), max_size=40)


def shown(told: list[tuple[int, Sums]], now: int) -> dict[str, Sums]:
    """Every window by brute force."""
    return {name: merged(part for at, part in told if now - minutes < at <= now) for name, minutes in ROLLING.items()}


@given(happenings=_happenings, often=st.booleans(), last=st.integers(0, 80))
def test_it_does_not_matter_how_often_time_is_told(
    happenings: list[tuple[int, int, Sums]], often: bool, last: int
) -> None:
    now, told = 1000, list[tuple[int, Sums]]()
    rolling = Rolling(now=now)
    for passed, ahead, sums in happenings:
        for minute in range(now, now + passed) if often else ():
            rolling.advance(minute)
        now += passed
        rolling.advance(now)
        if rolling.add(now + ahead, sums):
            told.append((now + ahead, sums))
    assert rolling.sums == shown(told, now)
    now += last
    rolling.advance(now)
    assert rolling.sums == shown(told, now)
    assert all(rolling.panes.values()), "an empty pane is none"
    assert all(now - minute < 30 for minute in rolling.panes)


@given(happenings=_happenings)
def test_nothing_changes_by_itself_before_the_minute_that_is_told(happenings: list[tuple[int, int, Sums]]) -> None:
    rolling = Rolling(now=1000)
    for passed, ahead, sums in happenings:
        before = {name: dict(sums) for name, sums in rolling.sums.items()}
        changed = rolling.advance(rolling.now + passed)
        assert changed or rolling.sums == before
        rolling.add(rolling.now + ahead, sums)
        told = list(rolling.panes.items())
        assert rolling.changes_at > rolling.now
        assert rolling.changes_at != NEVER or not told
        for minute in range(rolling.now, min(rolling.changes_at, rolling.now + 71)):
            assert shown(told, minute) == rolling.sums


@given(panes=st.dictionaries(st.integers(0, 40), _sums, max_size=8), now=st.integers(0, 40), later=st.integers(0, 40))
def test_a_stored_window_shows_the_same(panes: dict[int, Sums], now: int, later: int) -> None:
    one = Rolling(now=0)
    for minute, sums in panes.items():
        one.add(minute, sums)
    one.advance(now)
    other = Rolling({minute: dict(sums) for minute, sums in one.panes.items()}, now=one.now)
    assert other.sums == one.sums
    for rolling in (one, other):
        rolling.advance(now + later)
    assert (other.sums, other.panes) == (one.sums, one.panes)


@given(a=_sums, b=_sums, c=_sums)
def test_merging_is_associative_and_commutative_with_a_zero(a: Sums, b: Sums, c: Sums) -> None:
    assert merged([a, merged([b, c])]) == merged([merged([a, b]), c]) == merged([c, b, a])
    assert merged([a, {}]) == merged([a])
    back = merged([a, b])
    add(back, b, -1)
    assert back == merged([a])


@given(hits=st.integers(0, 500), more=st.integers(0, 500))
def test_an_interval_holds_its_rate_and_narrows_with_n(hits: int, more: int) -> None:
    n = hits + more
    bounds = wilson(hits, n)
    if n == 0:
        assert bounds is None
        return
    assert bounds is not None
    low, high = bounds
    assert 0 <= low <= hits / n <= high <= 1
    wider = wilson(hits, n)
    narrower = wilson(hits * 10, n * 10)
    assert wider is not None
    assert narrower is not None
    assert narrower[1] - narrower[0] < wider[1] - wider[0]
