"""``python -m tests.statistics``: the long forms of the simulations, as docs/evidence.md tells their figures; some ten minutes."""

from __future__ import annotations

from random import Random

from tests.statistics.comparisons import handle_times, looks, ratings
from tests.statistics.desks import percent
from tests.statistics.ranks import months
from tests.statistics.reviews import reached, related, sure_of_nothing
from tests.statistics.screens import marked
from tests.statistics.signs import accused, day, faulty


def _told(what: str, figure: float | str) -> None:
    print(f"{what:90} {figure if isinstance(figure, str) else f'{figure:.1f} %'}", flush=True)


def main() -> None:
    """Print every table."""
    for n in (5, 10, 20, 60, 200):
        once = looks("average_handle_time", handle_times(n), 1, 1000)
        _told(f"12 equals, handle time, {n} calls each, one look: somebody marked", percent(list(map(bool, once))))
    for n in (5, 20, 60, 200):
        once = looks("csat", ratings(n), 1, 1000)
        _told(f"12 equals, satisfaction, {n} ratings each, one look: somebody marked", percent(list(map(bool, once))))
    for icc in (0.0, 0.02, 0.05, 0.1):
        month = looks("csat", ratings(10, icc), 20, 1000)
        _told(f"12 equals, satisfaction, 20 days of 10, days alike by {icc}: somebody", percent(list(map(bool, month))))
        other = looks("csat", ratings(10, icc), 20, 300, other=75 / 85)
        _told("  one at 75 % among 85 %: found", percent([any(o.who == "a0" for o in one) for one in other]))
    _told("12 equals on a screen all day, 8 columns: somebody marked at some time", percent(marked(400)))
    for name, work in {
        "honest work": lambda random, who, half: day(random),
        "days alike by 0.02": lambda random, who, half: day(random, icc=0.02),
        "two surveys a contact": lambda random, who, half: day(random, surveys=2),
        "a product fault for all": faulty,
    }.items():
        teams, _ = accused(300, work)
        _told(f"20 clean agents, a month, {name}: the worst sign", max(teams.values(), default=0) / 3)
    for a_day in (1, 2, 5, 8):
        for sure in ("", "0.95"):
            made = list(months(Random(1), 60, a_day, 0.04, sure))
            plans, wrong = sum(len(one.planned) for one in made), sum(len(one.above) for one in made)
            share = f"{plans / 60:.2f} plans a month, {100 * wrong / max(plans, 1):.0f} % of them above the median"
            _told(f"50 agents, {a_day * 20} ratings a month, true sd 4 points, sure {sure or 'not asked'}", share)
    for items in (8, 15):
        _told(f"40 people, {items} items that mean nothing: one is sure", percent(sure_of_nothing(600, items)))
        _told("  one of them at 0.6: sure", percent(related(200, items)))
    for n in (10, 20, 50, 200):
        _told(f"40 people, 6 months of {n} ratings: truly reach the proposed target", reached(150, n))


if __name__ == "__main__":
    main()
