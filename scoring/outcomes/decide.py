"""A period's outcomes: everybody's standing, pay, stars, streaks, awards, next post and follow-up actions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil

from scoring.outcomes.actions import Action, actions
from scoring.outcomes.awards import Awarded, awarded
from scoring.outcomes.given import Given
from scoring.outcomes.ladder import NextPost, next_post
from scoring.outcomes.pay import Pay, base_bonus, pay, pay_pool, rule_of
from scoring.outcomes.pay_rules import BaseBonus, BonusPool, PayRule
from scoring.outcomes.people import History, Past, Person
from scoring.outcomes.settings import Settings, faults
from scoring.outcomes.standing import Mean, Standing, stand
from scoring.outcomes.stars import Stars
from scoring.outcomes.streaks import Held, by_days, by_terms
from scoring.outcomes.summary import Summary, summary, term_summary
from scoring.outcomes.terms import CALLED, KINDS, LENGTH, UNITS, Kind, Term, ending_with
from scoring.outcomes.unsettled import Border, unsettled
from scoring.outcomes.validation import check
from scoring.period import Month, Period
from scoring.rounding import decimal, total
from streams.languages.text import Text


@dataclass(frozen=True, slots=True)
class PersonOutcome:
    """Everything that a run decided for one person.

    ``standings``: the period's own, and those of longer terms that end with it. ``pay`` and ``base_bonus``: None
    where no rule is for them, or the rule is of another term than these (``notes`` say so). ``given``: what single rules give, by
    their key in the settings, such as stars; what is not there is not due. ``streaks``: all that are
    counted, with what they granted.
    """

    person: str
    standings: tuple[Standing, ...]
    given: Mapping[str, Given]
    pay: Pay | None
    base_bonus: Pay | None
    streaks: tuple[Held, ...]
    awards: tuple[Awarded, ...]
    next_post: NextPost | None
    actions: tuple[Action, ...]
    notes: tuple[Text, ...]

    @property
    def standing(self) -> Standing:
        """The standing in the run's own period."""
        return self.standings[0]

    @property
    def stars(self) -> Stars | None:
        """The stars of a quarter that ends with the period."""
        given = self.given.get("stars")
        return given if isinstance(given, Stars) else None

    def onto(self, history: History) -> History:
        """The history with this period decided, as the next one looks back on it. Deciding a period again replaces it."""
        new = {}
        for standing in self.standings:
            stars = self.stars.stars if self.stars and self.stars.term == standing.term else None
            new[standing.term] = standing.past(stars)
        kept = tuple(past for past in history.past if past.term not in new)
        return History(kept + tuple(new.values()), self._grants(history))

    def _grants(self, history: History) -> dict[str, tuple[date, ...]]:
        """Streak → the days on which it granted something, before this period and in it."""
        granted = {id: tuple(day for day in days if not self._decided(day)) for id, days in history.granted.items()}
        for held in self.streaks:
            if held.granted:
                granted[held.streak] = (*granted.get(held.streak, ()), *held.granted)
        return granted

    def _decided(self, day: date) -> bool:
        term = self.standing.term
        return Term.of(term.kind, Month.of(day)) == term


@dataclass(frozen=True)
class Outcomes:
    """Everybody's outcomes of a period, in order of person, with the version of the settings that decided them.

    ``pay_names``: what each pay rule is called, by its id.
    """

    period: Period
    settings_version: str
    people: tuple[PersonOutcome, ...]
    summary: Summary
    pay_names: Mapping[str, Text] = field(default_factory=dict)


def decide(
    period: Period,
    people: Iterable[Person],
    settings: Settings,
    *,
    opened: date,
    history: Mapping[str, History] | None = None,
    pools: Mapping[str, Decimal] | None = None,
    closes: Collection[Kind] = KINDS,
    shortest: Kind | None = None,
) -> Outcomes:
    """Decide a month, a quarter, half a year or a year, whatever the order of ``people``.

    ``opened``: the day on which follow-up actions open. ``history``: person → what went before (`PersonOutcome.onto`
    carries it on). ``pools``: id of a pool rule → its amount, in whole cents. ``closes``: the longer kinds of term that are decided
    beside the period, where they end with it (`terms.closes`). ``shortest``: the shortest kind of period that these people have runs of;
    None: the period's own. What looks at days, and the base bonus, are decided in these runs only, so that none is given twice.

    Raises ValueError for impossible figures, for settings that contradict themselves and for a period that is no term, and its kind
    PayConflictError for a person under two pay rules.
    """
    before, amounts = history or {}, pools or {}
    given = sorted(people, key=lambda person: person.id)
    check(given, before, amounts, _pool_rules(settings))
    if wrong := [f"{'.'.join(map(str, loc))}: {what}" for loc, what in faults(settings)]:
        raise ValueError("\n".join(wrong))
    term = Term.parse(str(period))
    made = _Decided(
        period, given, settings, opened, before, amounts, list(ending_with(term, closes)), shortest or term.kind
    )
    outcomes = tuple(map(made.outcome, given))
    called = {rule.id: rule.called for rule in settings.pay} | {"base_bonus": BaseBonus.called}
    return Outcomes(period, settings.version, outcomes, made.summary(outcomes), called)


class _Decided:
    """What is decided of everybody together, and what it says of each."""

    def __init__(
        self,
        period: Period,
        given: Sequence[Person],
        settings: Settings,
        opened: date,
        history: Mapping[str, History],
        pools: Mapping[str, Decimal],
        terms: Sequence[Term],
        shortest: Kind,
    ) -> None:
        self._period, self._settings, self._terms = period, settings, terms
        self._basic = terms[0].kind == shortest
        people = {person.id: person for person in given}
        self._past = {id: _earlier(history.get(id, History()), terms[0]) for id in people}
        self._standings = {term.kind: _standings(term, terms[0], people, self._past, settings) for term in self._terms}
        self._own = {id: {kind: of[id] for kind, of in self._standings.items()} for id in people}
        by_month = shortest == "month" and not self._basic
        self._given = {
            id: _given(settings, person, self._own[id], self._past[id] if by_month else None)
            for id, person in people.items()
        }
        stars = _stars_of(self._given)
        self._paid, self._unpaid = _pay(people, self._standings, terms[0].kind, stars, settings, pools)
        newest = _newest_stars(self._past, stars)
        rules = settings.actions if self._basic else settings.actions.model_copy(update={"interview": None})
        self._actions, self._notes = actions(rules, period, opened, given, self._standings[terms[0].kind], newest)

    def outcome(self, person: Person) -> PersonOutcome:
        """Everything that is decided for one person."""
        id, settings = person.id, self._settings
        bonus = settings.base_bonus if self._basic else None
        own = self._own[id]
        return PersonOutcome(
            person=id,
            standings=tuple(own.values()),
            given=self._given[id],
            pay=self._paid.get(id),
            base_bonus=base_bonus(bonus, person, self._terms[0]) if bonus and bonus.who.takes(person) else None,
            streaks=tuple(_streaks(person, own, self._past[id], self._period if self._basic else None, settings)),
            awards=tuple(_awards(person, own, settings)),
            next_post=next_post(settings.ladder, person),
            actions=tuple(self._actions[id]),
            notes=(*self._unpaid.get(id, ()), *self._notes.get(id, ())),
        )

    def summary(self, outcomes: Sequence[PersonOutcome]) -> Summary:
        """What all of it comes to."""
        return summary(
            [term_summary(term, self._standings[term.kind].values()) for term in self._terms],
            [pay for outcome in outcomes for pay in (outcome.pay, outcome.base_bonus) if pay],
            sorted(_pool_rules(self._settings)),
            [award for outcome in outcomes for award in outcome.awards],
            [held for outcome in outcomes for held in outcome.streaks],
            [action for outcome in outcomes for action in outcome.actions],
        )


def _pool_rules(settings: Settings) -> set[str]:
    return {rule.id for rule in settings.pay if isinstance(rule, BonusPool)}


def _awards(person: Person, own: Mapping[Kind, Standing], settings: Settings) -> Iterator[Awarded]:
    for rule in settings.awards:
        if rule.of in own and rule.who.takes(person) and (award := awarded(rule, own[rule.of])):
            yield award


def _earlier(history: History, own: Term) -> History:
    """Only what was over before this term was, shorter ones that end with it among them: a term that is decided again does not look at
    later ones.
    """
    ends = (own.last, LENGTH[own.kind])
    return replace(
        history, past=tuple(past for past in history.past if (past.term.last, LENGTH[past.term.kind]) < ends)
    )


def _standings(
    term: Term, own: Term, people: Mapping[str, Person], past: Mapping[str, History], settings: Settings
) -> dict[str, Standing]:
    """Everybody's standing in the run's own term, or in a longer one that is the mean of its terms of that kind."""
    totals: dict[str, Decimal | None] = {}
    why: dict[str, Text] = {}
    for id, person in people.items():
        if term == own:
            totals[id] = None if person.total is None else total([person.total])
            if person.why and (person.total is None or person.scored < settings.ranking.least_scored):
                why[id] = person.why
        else:
            totals[id], said = _mean(term, own.kind, past[id], settings.months_needed.of(term.kind), person)
            if said := said or _not_ranked(term, own.kind, person, past[id], settings):
                why[id] = said
    # How sure the mean of several terms is, nobody has told.
    errors = {id: one.error for id, one in people.items() if one.error is not None} if term == own else {}
    return stand(term, people, totals, why, settings.ranking, settings.grades, settings.pass_mark, errors)


def _mean(
    term: Term, part: Kind, history: History, needed: int, person: Person | None = None
) -> tuple[Decimal | None, Text | None]:
    """The mean of the term's scored parts, rounded as totals are; None where there are too few of them, and why.

    ``needed``: how many months must be scored. ``person``: whose last part is not in the history yet.
    """
    parts, needed = set(term.parts(part)), ceil(needed / LENGTH[part])
    known = [past.total for past in history.past if past.term in parts and past.total is not None]
    if person is not None and person.total is not None:
        known.append(total([person.total]))
    if len(known) < needed:
        unit, of, have = UNITS[part], len(parts), len(known)
        return None, Text(
            f"{of} {unit.zh}中 {have} {unit.zh}有总分，需要 {needed} 个",
            f"{have} of {of} {unit.en} are scored, {needed} are needed",
        )
    return total([decimal(sum(map(Fraction, known), Fraction(0)) / len(known))]), None


def _not_ranked(term: Term, part: Kind, person: Person, history: History, settings: Settings) -> Text | None:
    """Why who has a total of a longer term is not ranked in it: they were not in one of its parts; None: they are."""
    if person.total is not None and person.scored < settings.ranking.least_scored:
        return person.why
    parts = set(term.parts(part))
    apart = [past.term for past in history.past if past.term in parts and not past.whole]
    if not apart:
        return None
    zh, en = "、".join(one.zh for one in apart), ", ".join(map(str, apart))
    return Text(f"{zh}未评全部分值", f"not all points are scored in {en}")


def _given(
    settings: Settings, person: Person, own: Mapping[Kind, Standing], months: History | None
) -> dict[str, Given]:
    """What single rules give. ``months``: where those are, of which the person has runs of their own; None: the standings rest on them."""
    means = {kind: Mean(standing.term, standing.total) for kind, standing in own.items()}
    if months is not None:
        means = {
            kind: Mean(mean.term, *_mean(mean.term, "month", months, settings.months_needed.of(kind)))
            for kind, mean in means.items()
        }
    made = {key: rule.give(person, own, means) for key, rule in settings.giving.items() if rule.who.takes(person)}
    return {key: given for key, given in made.items() if given is not None}


def _stars_of(given: Mapping[str, Mapping[str, Given]]) -> dict[str, Stars]:
    """Person → their stars of this period, who are given any."""
    return {id: stars for id, own in given.items() if isinstance(stars := own.get("stars"), Stars)}


def _newest_stars(past: Mapping[str, History], now: Mapping[str, Stars]) -> dict[str, int]:
    """The stars that each person has: this quarter's, else the last ones given."""
    newest: dict[str, int] = {}
    for id, history in past.items():
        given: list[Past] = [term for term in history.past if term.stars is not None]
        if given and (stars := max(given, key=lambda term: term.term.last).stars):
            newest[id] = stars
    newest.update({id: rated.stars for id, rated in now.items() if rated.stars is not None})
    return newest


def _pay(
    people: Mapping[str, Person],
    standings: Mapping[Kind, Mapping[str, Standing]],
    own: Kind,
    stars: Mapping[str, Stars],
    settings: Settings,
    pools: Mapping[str, Decimal],
) -> tuple[dict[str, Pay], dict[str, tuple[Text, ...]]]:
    """What each person's one rule pays, and why nothing is due where it is of another term, or what of it the sample does not settle.
    ``own``: the kind of the run's period.
    """
    paid: dict[str, Pay] = {}
    notes: dict[str, tuple[Text, ...]] = {}
    pooled: dict[str, tuple[BonusPool, dict[str, Standing]]] = {}
    for id, person in people.items():
        rule: PayRule | None = rule_of(settings.pay, person)
        if rule is None:
            continue
        of: Kind = own if rule.of == "period" else rule.of
        if of not in standings:
            notes[id] = (_not_now(rule.called, of, own),)
        elif isinstance(rule, BonusPool):
            pooled.setdefault(rule.id, (rule, {}))[1][id] = standings[of][id]
        else:
            paid[id] = pay(rule, person, standings[of][id], stars.get(id))
            notes[id] = tuple(unsettled(rule, person, standings[of][id], stars.get(id), settings, LENGTH[own]))
    for pool, members in pooled.values():
        term = next(iter(members.values())).term
        paid.update(pay_pool(pool, term, members, pools.get(pool.id)))
        border = Border.of(pool, members)
        for id, standing in members.items():
            notes[id] = tuple(border.unsettled(pool, people[id], standing, LENGTH[own]))
    return paid, notes


def _not_now(rule: Text, of: Kind, own: Kind) -> Text:
    """Why a rule of this kind of term pays nothing in a run of its own kind."""
    span = CALLED[of]
    if own == "month":
        return Text(f"{rule.zh}按{span.zh}结算，本月不结算", f"{rule.en}: paid when the {span.en} ends, not this month")
    run = CALLED[own]
    return Text(
        f"{rule.zh}按{span.zh}结算，{run.zh}考核不结算", f"{rule.en}: paid by {span.en}, not in the run of a {run.en}"
    )


def _streaks(
    person: Person, own: Mapping[Kind, Standing], history: History, period: Period | None, settings: Settings
) -> Iterable[Held]:
    """``period``: whose days are looked at; None: another run does that."""
    for rule in settings.streaks:
        if not rule.who.takes(person):
            continue
        if rule.of == "day":
            if period is not None:
                yield by_days(rule, person.id, person.days, period, history)
        elif rule.of in own:
            yield by_terms(rule, person.id, own[rule.of], history)
