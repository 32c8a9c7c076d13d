"""``python -m tests.statistics``: the long forms of the simulations, as docs/evidence.md tells their figures; some ten minutes."""

from __future__ import annotations

from random import Random

from streams.operator_files import load_rules
from tests.statistics.alerts import BOUND, NAIVE, NAIVE_LEVEL, delays, false_a_week, queued, rated, ruled, said
from tests.statistics.cards import LINES, STEPS, held, told
from tests.statistics.comparisons import handle_times, looks, ratings
from tests.statistics.desks import percent
from tests.statistics.ranks import months
from tests.statistics.reviews import reached, related, sure_of_nothing
from tests.statistics.rewards import a_month, half_day_off
from tests.statistics.screens import months as screens
from tests.statistics.signs import accused, day, faulty


def _told(what: str, figure: float | str) -> None:
    print(f"{what:90} {figure if isinstance(figure, str) else f'{figure:.1f} %'}", flush=True)


def alerts() -> None:
    """How often the rules that come with the program, and what they were before, call people for nothing, and how soon for something."""
    first = {rule.id: rule for rule in load_rules(None)}
    rules = {
        "a point below 80 %": ruled(NAIVE),
        "the bound": ruled(BOUND),
        "as shipped (cusum)": first["low_satisfaction"],
    }
    for n in (5, 20, 50):
        for name, rule in rules.items():
            often = false_a_week(rule, rated(Random(5), 10, n, 0.03), 10)
            _told(f"satisfaction 85 %, {n} ratings in 30 min, days differ by 3 points; {name}: a week", f"{often:.1f}")
            for rate in (0.7, 0.4):
                _told(f"  falls to {100 * rate:.0f} %", said(delays(rule, 12, n, 0.03, falls_to=rate)))
    for a_half_hour, agents in ((60, 10), (60, 12), (200, 40)):
        for name, rule in (("five minutes, a point", ruled(NAIVE_LEVEL)), ("as shipped", first["low_service_level"])):
            often = false_a_week(rule, queued(Random(3), 4, a_half_hour, agents), 4)
            _told(f"{a_half_hour} calls in 30 min, {agents} agents, service level; {name}: a week", f"{often:.1f}")


def main() -> None:
    """Print every table."""
    alerts()
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
    for a_day, icc in ((25, 0.0), (25, 0.05), (5, 0.0)):
        month = [month.ever for month in screens(200, a_day, icc=icc)]
        _told(
            f"12 equals on a screen for a month, 8 columns, {a_day} contacts a day, alike by {icc}: somebody",
            percent(month),
        )
    for a_day, icc, rate in ((25, 0.0, 0.75), (25, 0.02, 0.75), (25, 0.02, 0.6)):
        looked = list(screens(100, a_day, looks=1, icc=icc, odd=1, rate=rate))
        found = sum(month.found for month in looked) / len(looked)
        _told(f"  one satisfies {100 * rate:.0f} of 100, {a_day} contacts a day, alike by {icc}: found", 100 * found)
    looked = list(screens(100, 25, looks=1, teams=5, odd=2, rate=0.65, icc=0.02))
    false, every = (sum(column) for column in zip(*(month.counted() for month in looked), strict=True))
    _told("5 teams, two of 60 agents satisfy 65 of 100: marks that are by chance", 100 * false / every)
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
    for icc in (0.0, 0.02, 0.05, 0.1):
        cases, days = (percent(held(2000, 20, 20, icc, by_cases)) for by_cases in (True, False))
        _told(
            f"cards: intervals of 20 days of 20 hold the truth, alike by {icc}",
            f"by cases {cases:.0f} %, now {days:.0f} %",
        )
    for n in (20, 50, 200):
        for name, bands in (("steps", STEPS), ("lines that meet", LINES)):
            for pay in (
                {"type": "coefficient"},
                {"type": "grade_bonus", "of": "month"},
                {"type": "bonus_pool", "of": "month"},
            ):
                _told(
                    f"cards: {n} ratings, {name}, {pay['type']}: a straddle is told", percent(told(400, n, bands, pay))
                )
    for asked in (1, None):
        rule = half_day_off(asked)
        for rate in (0.8, 0.85, 0.95):
            earned = "; ".join(f"{a_day} a day {a_month(rule, 400, a_day, rate):.2f}" for a_day in (2, 4, 8, 15))
            _told(f"half days off a month at {100 * rate:.0f} %, {rule.min_ratings_in_all} ratings in all", earned)
    for items in (8, 15):
        _told(f"40 people, {items} items that mean nothing: one is sure", percent(sure_of_nothing(600, items)))
        _told("  one of them at 0.6: sure", percent(related(200, items)))
    for n in (10, 20, 50, 200):
        _told(f"40 people, 6 months of {n} ratings: truly reach the proposed target", reached(150, n))


if __name__ == "__main__":
    main()
