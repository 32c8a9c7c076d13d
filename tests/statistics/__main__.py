"""``python -m tests.statistics``: the long forms of the simulations, as docs/evidence.md tells their figures; some ten minutes."""

from __future__ import annotations

from random import Random
from statistics import median

from streams.kpi.patience import patience
from streams.kpi.policy.model import Policy
from streams.kpi.staffing import agents_needed
from streams.operator_files import load_rules
from tests.statistics import mixes
from tests.statistics.alerts import (
    AGENT_FELL,
    BOUND,
    FIRST_RESPONSES,
    NAIVE,
    NAIVE_FIRST_RESPONSE,
    NAIVE_LEVEL,
    NAIVE_REPEATS,
    REPEATS,
    days_until,
    delays,
    false_a_week,
    queued,
    rated,
    ruled,
    said,
)
from tests.statistics.cards import LINES, STEPS, told
from tests.statistics.comparisons import handle_times, looks, ratings
from tests.statistics.desks import percent
from tests.statistics.queues import WITHIN, Desk, answered_in_time, fewest, ranges, waits
from tests.statistics.ranks import months
from tests.statistics.reviews import reached, related, sure_of_nothing
from tests.statistics.rewards import a_month, half_day_off
from tests.statistics.screens import months as screens
from tests.statistics.sheets import drilled, held
from tests.statistics.signs import accused, caught, cheats, day, faulty, hurried
from tests.statistics.tiring import NAIVE_TIRED, TIRED, TIRED_AT_ALL, warned


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
    for n in (20, 60):
        for name, rule in (
            ("five minutes, a point", ruled(NAIVE_FIRST_RESPONSE)),
            ("as shipped", first["slow_first_response"]),
        ):
            often = false_a_week(rule, rated(Random(5), 6, n, 0.03, rate=0.93, of=FIRST_RESPONSES), 6)
            _told(f"first responses, 93 % in time, {n} in 30 min; {name}: a week", f"{often:.1f}")
            _told("  falls to 70 %", said(delays(rule, 8, n, 0.03, 0.7, weeks=2, rate=0.93, of=FIRST_RESPONSES)))
    for n in (0.5, 2, 5):
        for name, rule in (("a point", ruled(NAIVE_REPEATS)), ("as shipped", first["repeat_complaints"])):
            often = false_a_week(rule, rated(Random(5), 12, n, 0.03, rate=0.12, of=REPEATS), 12)
            _told(f"repeats, 12 % of {n} complaints in 30 min; {name}: a week", f"{often:.1f}")
            after = days_until(rule, 8, n, 0.4, weeks=3, weeks_fallen=1, rate=0.12, of=REPEATS)
            _told("  rise to 40 %: found after, working days (median)", f"{median(after):.1f}")
    for a_half_hour, agents in ((60, 10), (60, 12), (200, 40)):
        for name, rule in (("five minutes, a point", ruled(NAIVE_LEVEL)), ("as shipped", first["low_service_level"])):
            often = false_a_week(rule, queued(Random(3), 4, a_half_hour, agents), 4)
            _told(f"{a_half_hour} calls in 30 min, {agents} agents, service level; {name}: a week", f"{often:.1f}")


def other_work() -> None:
    """What other work does to people, and what is left of it once figures are adjusted."""
    for n in (30, 100, 300):
        twins = mixes.errors(mixes.months(Random(1), 1000, mixes.Desk(people=20, ratings=n), twins=True), (0, 1))
        every = mixes.errors(mixes.months(Random(1), 100, mixes.Desk(ratings=n)))
        for name, found in (("two alike, easy and hard work", twins), ("everybody", every)):
            raw, adjusted = found.rmse
            _told(f"{n} ratings, {name}: error in points, raw and adjusted", f"{raw:.1f} {adjusted:.1f}")
            _told("  the truth lies within the interval", found.covered)
    for name, desk in {
        "by chance": mixes.Desk(),
        "the best have the hardest": mixes.Desk(sorted_by=0.6),
        "and differ by queue": mixes.Desk(ratings=300, sorted_by=0.6, apart=0.3),
    }.items():
        for by, found in mixes.named(mixes.months(Random(5), 100, desk)).items():
            right, wrong, top = found
            share = f"{right:.0f} % rightly, {wrong:.0f} % above the median, of the top {top:.0f} % rightly"
            _told(f"40 people, {desk.ratings} ratings, work given {name}; the last tenth, {by}", share)
    for n in (100, 200, 400):
        desk = mixes.Desk(people=12, ratings=n, skill=0.0)
        said = mixes.marked(mixes.months(Random(2), 200, desk, twins=True))
        _told(
            f"12 equals, {n} ratings, other work: somebody marked, raw and adjusted",
            "{:.1f} {:.1f}".format(*said["any"]),
        )
        for better, verdict in ((-0.8, "worse"), (0.8, "better")):
            said = mixes.marked(mixes.months(Random(3), 100, desk, twins=True, better=better), "a1")
            _told(f"  on hard work, {better:+.1f} logits: {verdict}", "{:.1f} {:.1f}".format(*said[verdict]))
        turned = mixes.Desk(people=12, ratings=n, skill=0.0, rates=(*mixes.RATES[:3], 0.45, mixes.RATES[4]))
        said = mixes.marked(mixes.months(Random(4), 100, turned, twins=True), "a0", "a1")
        _told("  a queue falls from 75 to 45 %: who has most of it is worse", "{:.1f} {:.1f}".format(*said["worse"]))
    for calls in (20, 60, 200):
        equal = mixes.times_marked(Random(2), 100, calls)
        slower = mixes.times_marked(Random(3), 60, calls, slower=1.3)
        _told(
            f"12 equals, {calls} calls, other work: somebody marked, raw and adjusted", "{:.1f} {:.1f}".format(*equal)
        )
        _told("  one on hard work takes 30 % longer: worse", "{:.1f} {:.1f}".format(*slower))


def agents_alerts() -> None:
    """The same of agents, who have few ratings: false alarms, and working days until a fall that lasts is found."""
    for n in (0.5, 1, 2):
        for name, rule in (
            ("a point below 80 %", ruled(NAIVE | {"scope": ["agent"]})),
            ("agent_fell", ruled(AGENT_FELL)),
        ):
            often = false_a_week(rule, rated(Random(5), 42, n, 0.03), 42)
            _told(f"an agent, {n} ratings in 30 min; {name}: false alarms a week", f"{often:.2f}")
            for rate in (0.7, 0.4):
                found = days_until(rule, 20, n, falls_to=rate)
                within = (
                    f"median {median(found):.1f} days, {percent([days <= 10 for days in found]):.0f} % in two weeks"
                )
                _told(f"  falls to {100 * rate:.0f} %", within)


def queues() -> None:
    """Agents needed by both formulas against simulated queues, and how far half an hour can tell."""
    policy = Policy()
    for calls, handle in ((20, 240), (60, 240), (200, 300), (600, 300)):
        desk = Desk(calls, handle, 120)
        found = patience(waits(Random(2), desk, max(1, int(desk.load)), 10_000))
        assert found is not None
        by_c, by_a = (
            agents_needed(desk.load, handle, target=0.8, within_seconds=WITHIN, patience_seconds=seconds)
            for seconds in (None, found.seconds)
        )
        fewest_agents = fewest(desk, 40_000)
        reached = [100 * answered_in_time(Random(3), desk, fewest_agents - less, 40_000) for less in (0, 1)]
        _told(
            f"{calls} calls of {handle} s: Erlang C {by_c}, A {by_a} by {found.seconds:.0f} s, fewest {fewest_agents}",
            f"{reached[0]:.0f} %, one fewer {reached[1]:.0f} %",
        )
    for calls, handle in ((6, 240), (20, 240), (60, 240), (200, 300)):
        true, shown = ranges(Desk(calls, handle, None), 1000, policy)
        assert true is not None
        needed = sorted(each.needed for each in shown)
        ends = f"{needed[len(needed) // 40]}–{needed[-len(needed) // 40]}"
        inside = percent([each.low <= true <= each.high for each in shown])
        off = percent([abs(each.needed - true) >= 2 for each in shown])
        _told(f"{calls} calls in half an hour need {true}; shown {ends}; the range holds it", inside)
        _told("  off by two or more", off)


def tiring() -> None:
    """On how many days a rule on fatigue warns of agents who do not tire, and of some who do."""
    rules = {"advised": TIRED, "without a margin": TIRED_AT_ALL, "a point at 0.5": NAIVE_TIRED}
    for silences, uneven in ((1, 1), (1, 4), (4, 1), (4, 4), (8, 1), (8, 4)):
        for name, rule in rules.items():
            for tires in (1, 1.5, 2):
                found = warned(rule, 300, silences, uneven, tires=tires)
                after = f"; median {median(found) / 60:.1f} h into the shift" if found else ""
                _told(
                    f"fatigue, {silences} silences a contact, variance {uneven} times the mean, {tires} times as many; {name}: days",
                    f"{len(found) / 3:.1f} %{after}",
                )


def sheets() -> None:
    """Intervals on score sheets where days differ, and drills that open by chance."""
    for a_day in (10, 20):
        for icc in (0.0, 0.02, 0.05, 0.1):
            _told(
                f"20 days of {a_day} ratings, alike by {icc}: the sheet's interval holds",
                percent(held(Random(1), 40, 20, a_day, icc)),
            )
    for days, a_day in ((5, 2), (10, 5)):
        for rate in (0.85, 0.7, 0.6):
            by_figure, by_interval = (
                percent(drilled(Random(2), 20, days, a_day, rate, beyond)) for beyond in (False, True)
            )
            _told(
                f"drill below 80 %, {days * a_day} ratings, truly {100 * rate:.0f} %",
                f"{by_figure:.0f} → {by_interval:.0f} %",
            )


def main() -> None:
    """Print every table."""
    alerts()
    other_work()
    agents_alerts()
    queues()
    tiring()
    sheets()
    for sign, work in (
        ("passed_on", cheats(transfers=0.16)),
        ("few_invited", cheats(invited=0.72)),
        ("hurried", hurried),
    ):
        for days in (4, 6, 10, 20):
            _told(f"a cheat among 20, {sign}, {days} days: found", caught(20, work, sign, days))
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
    for spread in (0.0, 0.04):
        for sure in ("", "0.95"):
            made = list(months(Random(1), 20, 0.75, spread, sure, others=7.5))
            plans = [who for month in made for who in month.planned]
            few = f"{len(plans) / 20:.2f} plans a month, {sum(who < 25 for who in plans)} of {len(plans)} for those with 15"
            wrong = f"{sum(len(month.above) for month in made)} for people better than half"
            _told(
                f"15 or 150 ratings, true sd {100 * spread:.0f} points, sure {sure or 'not asked'}", f"{few}, {wrong}"
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
