"""What is said of a contact: ratings, invitations to them and the causes of bad ones, follow-ups, quality reviews, analytics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from streams.contacts.contact import REVIEW, Contact, Signals
from streams.contacts.rules import Rules
from streams.contacts.slots import PLANNED
from streams.contracts import events as e
from streams.contracts.outputs import Sums
from streams.kpi.measures.measure import squared
from streams.kpi.measures.satisfaction import csat_measures
from streams.kpi.policy.names import BUILT_IN_REVIEW_ITEMS

#: What reviews that look at an item count, and those that it was passed in, by the item as the policy knows it.
_ITEMS = {item: (f"{item}_reviews", f"{item}_passed") for item in BUILT_IN_REVIEW_ITEMS}
#: Net promoter score: from here on a promoter, up to there a detractor, on the scale 0-10.
_PROMOTER, _DETRACTOR = 9, 6
_FIRST_HOUR_MS = 3_600_000
#: The greatest strain, in thousandths, whose square is kept: a thousand silences at 100 words a minute are an error of the source, and a
#: year of a hundred thousand agents whose contacts all had so many still stays below 2^63.
_MOST_SQUARED = 1_000_000
_INVITED: Sums = {"surveys_invited": 1}
_ANSWERED: Sums = {"surveys_invited": 1, "surveys_answered": 1}
#: Slots of invitations, by survey.
_CSAT_INVITED, _NPS_INVITED, _CES_INVITED = "invited_csat", "invited_nps", "invited_ces"
_CONTACT_INVITED: Sums = {"contacts_invited": 1}
_FOLLOWED_UP: Sums = {"contacts_followed_up": 1}
_CONFIRMED: Sums = {"contacts_followed_up": 1, "resolutions_confirmed": 1}
_REVIEWED: Sums = {"contacts_reviewed": 1}
_CAUSE_DUE: Sums = {"bad_rating_cases": 1}
_CAUSE_IN_TIME: Sums = {"bad_rating_cases": 1, "bad_rating_causes_in_time": 1}


def rated(contact: Contact, event: e.Rated, at: int, rules: Rules) -> None:  # noqa: C901 - what each kind of survey counts for
    """A rating; of each survey the last one stands. Credited to the contact's agent, else to the one it names."""
    if contact.agent is None and event.agent_id is not None:
        contact.hand_to(event.agent_id, event.team_id)
    if event.survey not in contact.answered:
        contact.answered.append(event.survey)
        if (invitation := contact.slots.get(f"invited_{event.survey}")) is not None:
            contact.fill(f"invited_{event.survey}", replace(invitation, staff=_ANSWERED, desk=_ANSWERED))
    if event.survey == "csat":
        bad = rules.policy.bad(event.scale, event.score)
        contact.put("rating", at, both=_satisfaction(event, bad, rules))
        if bad:
            if contact.bad_since is None:
                contact.bad_since = at
            _root_cause(contact, rules)
        elif contact.bad_since is not None:
            contact.bad_since = contact.explained_at = None
            contact.drop("bad_rating")
    elif event.survey == "nps":
        if event.scale != "0-10":
            contact.drop("nps")  # the later rating replaces the earlier, and tells of no promoter
            return
        sums = {"nps_ratings": 1}
        if event.score >= _PROMOTER:
            sums["nps_promoters"] = 1
        elif event.score <= _DETRACTOR:
            sums["nps_detractors"] = 1
        contact.put("nps", at, both=sums)


def _satisfaction(event: e.Rated, bad: bool | None, rules: Rules) -> Sums:
    ratings, total, squares = csat_measures(event.scale)
    sums: Sums = {"csat_ratings": 1, ratings: 1}
    if event.score:
        score = round(event.score * 1000)
        sums |= {total: score, squares: squared(score, "points2")}
    if rules.policy.satisfies(event.scale, event.score):
        sums["csat_satisfied"] = 1
    of_five = event.scale == "1-5"
    if bad is not None and not of_five:
        sums["csat_judged_others"] = 1
    if bad:
        sums["csat_bad_1_5" if of_five else "csat_bad_others"] = 1
    not_good = rules.policy.not_good(event.scale, event.score)
    if not_good is not None and not of_five:
        sums["csat_graded_others"] = 1
    if not_good:
        sums["csat_not_good_1_5" if of_five else "csat_not_good_others"] = 1
    return sums


def explained(contact: Contact, event: e.RatingExplained, at: int, rules: Rules) -> None:
    """The root cause of a bad rating: the first word counts. Where there is no bad rating, there is nothing to explain."""
    if contact.bad_since is not None and contact.explained_at is None:
        contact.explained_at = at
        _root_cause(contact, rules)


def _root_cause(contact: Contact, rules: Rules) -> None:
    """Told up to the limit (exactly then is in time) it counts when it is told; else it is missed once that has passed."""
    assert contact.bad_since is not None
    limit = contact.bad_since + round(rules.policy.bad_rating_rca_hours * 3_600_000)
    told = contact.explained_at
    if told is not None and told <= limit:
        contact.put("bad_rating", told, both=_CAUSE_IN_TIME)
    else:
        contact.put("bad_rating", limit + 1, both=_CAUSE_DUE, form=PLANNED)


def invited(contact: Contact, event: e.Invited, at: int, rules: Rules) -> None:
    """Asked to rate. The first invitation to a survey counts, and when it was made; a rating of that survey answers it."""
    if (name := f"invited_{event.survey}") not in contact.slots:
        contact.put(name, at, both=_ANSWERED if event.survey in contact.answered else _INVITED)


def followed_up(contact: Contact, event: e.FollowedUp, at: int, rules: Rules) -> None:
    """Asked whether it is resolved; the last answer stands. Of the contact's agent: whoever asked has not handled it."""
    contact.put("followed_up", at, both=_CONFIRMED if event.resolved else _FOLLOWED_UP)


def reviewed(contact: Contact, event: e.Reviewed, at: int, rules: Rules) -> None:
    """A quality review; the last one by each form stands. Credited to the contact's agent, else to the one it names."""
    if contact.agent is None and event.agent_id is not None:
        contact.hand_to(event.agent_id, event.team_id)
    score = round(event.score * 1000)
    sums: Sums = {"reviews": 1}
    if score:
        sums |= {"qa_score": score, "qa_score_squared": squared(score, "points2")}
    if event.passed is not None:
        sums["qa_verdicts"] = 1
        if event.passed:
            sums["qa_passed"] = 1
    if event.fatal:
        sums["qa_fatal"] = 1
    if event.items is not None:
        sums |= _items(event.items, rules)
    contact.put("review" if event.form is None else REVIEW + event.form, at, both=sums)
    contact.reviewed = True


def _items(items: Mapping[str, bool], rules: Rules) -> Sums:
    """What of a review's items KPIs know. Several that mean the same are one, passed where all of them are."""
    passed: dict[str, bool] = {}
    for written, well in items.items():
        item = rules.review_items[written]
        passed[item] = well and passed.get(item, True)
    sums: Sums = {}
    for item, well in passed.items():
        if (measures := _ITEMS.get(item)) is not None:
            sums[measures[0]] = 1
            if well:
                sums[measures[1]] = 1
    return sums


def analysed(contact: Contact, event: e.Analysed, at: int, rules: Rules) -> None:
    """Analytics: what an analysis states replaces what an earlier one stated of the same."""
    known = contact.signals or Signals()
    told = {
        "emotion": _thousandths(event.emotion),
        "emotion_start": _thousandths(event.emotion_start),
        "emotion_end": _thousandths(event.emotion_end),
        "keyword_coverage": _thousandths(event.keyword_coverage),
        "page_switches": event.page_switches,
        "search": _thousandths(event.search_seconds),
        "speech_rate": _thousandths(event.speech_rate),
        "silences": event.silences,
        "shift": _thousandths(event.shift_seconds),
    }
    contact.signals = signals = replace(known, **{name: value for name, value in told.items() if value is not None})
    sums: Sums = {}
    if signals.emotion is not None:
        sums |= _amount("emotions", "emotion_score", signals.emotion)
    if signals.emotion_start is not None and signals.emotion_end is not None:
        sums |= _amount("emotion_changes", "emotion_change", signals.emotion_end - signals.emotion_start)
    if signals.keyword_coverage is not None:
        sums |= _amount("keyword_coverages", "keyword_coverage", signals.keyword_coverage)
    if sums:
        contact.put("signals", at, both=sums)
    if sums := strain(signals):
        contact.put("strain", at, staff=sums)
    else:
        contact.drop("strain")


def strain(signals: Signals) -> Sums:
    """Silences per 100 words a minute, in the first hour of the agent's shift or after it; nothing where one of the three is not told."""
    if signals.shift is None or signals.silences is None or not signals.speech_rate:
        return {}
    part = "first_hour" if signals.shift < _FIRST_HOUR_MS else "later"
    # In thousandths, rounded half up; the speech rate is in thousandths, too.
    found = (signals.silences * 100 * 1_000_000 * 2 + signals.speech_rate) // (2 * signals.speech_rate)
    sums = {f"strain_contacts_{part}": 1, f"strain_{part}": found}
    if found <= _MOST_SQUARED:
        sums |= {f"strain_{part}_squared": squared(found, "points2"), "strain_contacts_squared": 1}
    return {name: value for name, value in sums.items() if value}


def settle_invited(contact: Contact) -> None:
    """After an event: a handled contact of which there was any invitation counts once, where it was handled."""
    slots = contact.slots
    if _CSAT_INVITED not in slots and _NPS_INVITED not in slots and _CES_INVITED not in slots:
        return
    if (handled := slots.get("handled")) is None:
        contact.drop("invited")
    else:
        contact.keep("invited", replace(handled, staff=_CONTACT_INVITED, desk=_CONTACT_INVITED))


def settle(contact: Contact) -> None:
    """After an event: what is told per handled contact, once it has been handled, and what is told of its agent alone."""
    if (
        strain := contact.slots.get("strain")
    ) is not None:  # against their own first hour: nothing of a team or a queue
        contact.keep("strain", replace(strain, agent=contact.agent, team=None, queue=None, site=None))
    handled = contact.slots.get("handled")
    if handled is None:
        contact.drop("reviewed", "search")
        return
    if contact.reviewed:
        contact.keep("reviewed", replace(handled, staff=_REVIEWED, desk=_REVIEWED))
    if contact.signals is None:
        return
    sums: Sums = {}
    if (switches := contact.signals.page_switches) is not None:
        sums |= {"page_switch_contacts": 1, "page_switches": switches, "page_switches_squared": switches * switches}
    if (search := contact.signals.search) is not None:
        sums |= {"search_contacts": 1, "search_seconds": search, "search_seconds_squared": squared(search)}
    if sums := {measure: amount for measure, amount in sums.items() if amount}:
        contact.keep("search", replace(handled, staff=sums, desk=sums))


def _amount(count: str, measure: str, amount: int) -> Sums:
    sums = {count: 1, measure: amount, f"{measure}_squared": squared(amount, "points2")}
    return {name: value for name, value in sums.items() if value}


def _thousandths(value: float | None) -> int | None:
    return None if value is None else round(value * 1000)


HANDLERS: dict[type, Callable[[Contact, Any, int, Rules], None]] = {
    e.Rated: rated,
    e.Invited: invited,
    e.RatingExplained: explained,
    e.FollowedUp: followed_up,
    e.Reviewed: reviewed,
    e.Analysed: analysed,
}
