"""A score card, as its file states it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from scoring.cards.figures import FigureId, FigureSpec, usual_unit
from scoring.fields import Id, NonEmpty, Part, Percent, Row, Source, Worth
from scoring.period import PeriodKind
from scoring.rounding import NONE, exact
from scoring.rules import AnyRule, Op, Rule
from scoring.units import Unit, said
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Kind
from streams.languages.text import Text

_End: TypeAlias = Annotated[Decimal, Field(max_digits=15)]


class Target(Part):
    """What is asked, in the item's unit. ``words``: how the source says it, where it gives no number.

    ``between`` asks for a value from the first to the second, both included. ``per`` and ``row``: the period and the
    catalogue row it stands in, where these are not the item's.
    """

    op: Op
    value: _End | tuple[_End, _End]
    words: Text | None = None
    per: PeriodKind | None = None
    row: Row | None = None

    @property
    def number(self) -> Decimal | None:
        """The one number that is asked for; None: a range is."""
        return None if isinstance(self.value, tuple) else self.value

    def met(self, value: Fraction) -> bool:
        """Does the value do what is asked?"""
        if isinstance(self.value, tuple):
            low, high = self.value
            return exact(low) <= value <= exact(high)
        asked = exact(self.value)
        match self.op:
            case "<=":
                return value <= asked
            case ">=":
                return value >= asked
            case _:
                return value == asked


class Panel(Part):
    """Several people rate as one party: the mean of what they give counts, and who gave what is kept nowhere.

    ``least``: how many of them must rate, three or more: of fewer, a mean would tell who gave what. ``party``: what the party is called,
    where the same people rate several items; the item's id where left out.
    """

    party: Id | None = None
    least: Annotated[int, Field(ge=3, le=100)] = 3


class Rater(Part):
    """One source of ratings and its share of the blend, in percent.

    ``least``: the share it must have; such a rater cannot be absent. An absent other one leaves their share to the rest. ``panel``: it is
    a party of several people.
    """

    id: Id
    name: Text
    weight: Percent
    least: Percent | None = None
    panel: Panel | None = None


class Evaluator(Part):
    """A column of the form for ratings and levels. The last one that counts and has rated gives the result."""

    id: Id
    name: Text
    counts: bool = True


class Veto(Part):
    """If what ``of`` names is in the range after the rule, everything in the ``scope`` earns 0 points, and is flagged."""

    of: Literal["points", "value"]
    gte: _End | None = None
    lte: _End | None = None
    scope: Literal["item", "section", "card"] = "item"

    def holds(self, value: Fraction) -> bool:
        """Is the value in the range?"""
        return (self.gte is None or value >= self.gte) and (self.lte is None or value <= self.lte)


class Sample(Part):
    """How many cases a figure must rest on. ``below`` that, the item is unscored, or neutral: it earns at the rate of
    the section's other items (of the card's, where there are none), and so moves the total neither way."""

    min: Annotated[int, Field(ge=1)]
    below: Literal["unscored", "neutral"]


class Least(Part):
    """How many cases the figures of a card must rest on, where an item says nothing of its own (``sample``): those that are shares, and
    those that are means. A figure on fewer is too few: unscored until a person decides. Counts have no such number."""

    shares: Annotated[int, Field(ge=1)]
    means: Annotated[int, Field(ge=1)]


class Item(Part):
    """One thing that is scored.

    Its value comes from one of: ``kpi``, an id of the catalogue; ``metric``, something that events will give but the
    catalogue does not have yet; ``input``, a figure that people hand in per person and period. A rating or a level that
    a person gives needs none of these. ``entity``: whose figure a KPI is, their own, their team's, or the mean of what
    the others in their team have (``members``). ``requires`` names the policy values that the target presupposes: under
    another policy the item is not scored. ``target`` left out: none is set. ``reference``: the value is held against a
    figure handed in with it (their own target, the previous period) instead; a KPI against its own in the period before.
    ``adjusted``: a KPI counts as it would on the work of all, by what the others on the card reach on the same work.
    ``no_cases``: points where the period had no case to count. ``max`` null: no weight is set yet, and the item is not
    scored.
    """

    id: Id
    name: Text
    kpi: str | None = None
    metric: FigureId | None = None
    input: FigureId | None = None
    entity: Literal["person", "team", "members"] = "person"
    adjusted: Annotated[
        bool, Field(description="For the mix of their work: what the others reach on the same work is held against it")
    ] = False
    unit: Annotated[
        Unit,
        Field(
            default_factory=lambda data: usual_unit(_key(data)),
            description="The usual one of the KPI or figure where left out",
        ),
    ]
    requires: Annotated[Policy, Field(default_factory=lambda: Policy.model_validate({}))]
    target: Target | None = None
    reference: Text | None = None
    max: Worth | None
    max_origin: Literal["source", "assumed"] = "source"
    share: Annotated[
        tuple[Percent, Percent] | None, Field(description="Least and greatest share of the card, in percent")
    ] = None
    rule: AnyRule
    rule_origin: Literal["source", "repaired", "assumed"]
    raters: tuple[Rater, ...] = ()
    panel: Annotated[Panel | None, Field(description="A party of several people rates it, anonymously")] = None
    veto: Veto | None = None
    sample: Sample | None = None
    no_cases: Annotated[Decimal, Field(max_digits=12)] | None = None
    rater: Annotated[Text | None, Field(description="Who rates it or hands its figure in")] = None
    check_points: tuple[Text, ...] = ()
    evidence: Annotated[tuple[FigureId, ...], Field(description="Figures a rater looks at")] = ()
    rows: tuple[Row, ...] = ()
    readings: tuple[Row, ...] = ()
    source_text: str | None = None
    note: Text | None = None

    @field_validator("rule", mode="after")
    @classmethod
    def _settled(cls, rule: Rule, info: ValidationInfo) -> Rule:
        """Fills in what the rule takes from the item's maximum."""
        worth = info.data.get("max")
        return rule if worth is None else rule.of(worth)

    @property
    def key(self) -> str:
        """What its value is known by: the KPI's or figure's id, or its own where a person rates it."""
        return self.kpi or self.metric or self.input or self.id

    @property
    def rated(self) -> bool:
        """Does a person give the points or the level?"""
        return self.rule.asks in ("rating", "level")

    @property
    def looks_back(self) -> bool:
        """Is a KPI held against its own value in the period before?"""
        return self.kpi is not None and self.reference is not None

    @property
    def must_have_share(self) -> bool:
        """Does the card ask for a share that it has at least?"""
        return self.share is not None and self.share[0] > 0

    def target_words(self) -> Text:
        """The target; a dash where there is none."""
        if self.target is None:
            return self.reference or Text(NONE, NONE)
        value, words = self.target.value, self.target.words
        if isinstance(value, tuple):
            low, high = (said(end, self.unit) for end in value)
            told = Text(f"{low.zh} – {high.zh}", f"{low.en} to {high.en}")
        else:
            sign = {"<=": "≤", ">=": "≥", "=": "=", "between": ""}[self.target.op]
            figure = said(value, self.unit)
            told = Text(f"{sign} {figure.zh}", f"{sign} {figure.en}")
        return Text(f"{words.zh}（{told.zh}）", f"{words.en} ({told.en})") if words else told


class OptionalItem(Item):
    """An item that counts only while a profile gives it a weight; ``section`` says where it then stands."""

    section: Id


class Section(Part):
    """Items that belong together; their maxima add up to ``max``.

    ``normalise_to``: the scale its points are brought to, where the form's own maximum is another. ``share``: least and
    greatest share of the card that the source allows, in percent. ``period``: where it is scored at another rhythm than
    the rest of the card.
    """

    id: Id
    name: Text
    max: Worth | None
    normalise_to: Worth | None = None
    share: tuple[Percent, Percent] | None = None
    period: PeriodKind | None = None
    origin: Annotated[Literal["source", "assumed"], Field(description="Where its weight is from")] = "source"
    note: Text | None = None
    items: Annotated[tuple[Item, ...], Field(min_length=1)]


class Total(Part):
    """How the sections make the card's total.

    ``sum_of_points``: they are added. ``weighted_sections``: each counts by its percentage in ``weights``.
    ``normalise_to``: the scale that the total is brought to. ``pass_mark``: the total that counts as passed.
    """

    method: Literal["sum_of_points", "weighted_sections"]
    max: Worth | None
    weights: dict[Id, Percent] | None = None
    weights_origin: Literal["source", "assumed"] = "source"
    normalise_to: Worth | None = None
    pass_mark: Decimal | None = None
    absent: Annotated[
        Literal["left_out", "rescaled"],
        Field(
            description="What becomes of an unscored item's weight; rescaled: the scored ones take it over, as among raters"
        ),
    ] = "left_out"
    note: Text | None = None


class Balance(Part):
    """The weights of two groups of items stand in this ratio to each other."""

    of: Annotated[tuple[Id, ...], Field(min_length=1)]
    to: Annotated[tuple[Id, ...], Field(min_length=1)]
    ratio: tuple[Worth, Worth]


class Card(Part):
    """A score card: ``version`` rises whenever a figure on it changes.

    ``period``: what it is scored for; several where the form offers a choice. ``completeness``: what the source leaves
    open. ``min_n``: how many cases its figures must rest on. ``figures``: figures of its own that its items name. ``optional``:
    items that a profile may switch on.
    """

    format: Annotated[Literal["deskpulse/card/1"], Field(alias="schema")]
    id: Id
    version: NonEmpty
    name: Text
    source: Source | None = None
    rows: tuple[Row, ...] = ()
    readings: tuple[Row, ...] = ()
    role: Id
    period: PeriodKind | Annotated[tuple[PeriodKind, ...], Field(min_length=1)]
    completeness: Text | None = None
    note: Text | None = None
    evaluators: tuple[Evaluator, ...] = ()
    signatures: tuple[Text, ...] = ()
    total: Total
    min_n: Least | None = None
    balance: tuple[Balance, ...] = ()
    figures: Annotated[dict[FigureId, FigureSpec], Field(default_factory=dict)]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    optional: tuple[OptionalItem, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """All items but the optional ones, in the card's order."""
        return tuple(item for section in self.sections for item in section.items)

    def sample_of(self, item: Item, kind: Kind | None) -> Sample | None:
        """How many cases the item's figure must rest on: its own number, else the card's. ``kind``: of its KPI; None: handed in."""
        if (
            item.sample is not None or self.min_n is None or item.rated or item.entity == "members"
        ):  # all of a team are no sample
            return item.sample
        if kind in ("count", "level") or (kind is None and item.unit in ("n", "days")):
            return None
        share = kind == "rate" or (kind is None and item.unit == "pct")
        return Sample(min=self.min_n.shares if share else self.min_n.means, below="unscored")

    @property
    def looks_back(self) -> bool:
        """Does it need the facts of the period before as well?"""
        return any(item.looks_back for item in (*self.items, *self.optional))

    @property
    def periods(self) -> tuple[PeriodKind, ...]:
        """The kinds of period that it is scored for."""
        return self.period if isinstance(self.period, tuple) else (self.period,)

    def has(self, id: str) -> bool:
        """Is there an item with this id, optional ones included?"""
        return any(item.id == id for item in (*self.items, *self.optional))

    def item(self, id: str) -> Item:
        """The item with this id, optional ones too. Raises KeyError where there is none."""
        return {item.id: item for item in (*self.items, *self.optional)}[id]

    def at(self, kind: PeriodKind) -> Card:
        """The card with those sections only that are scored for this kind of period."""
        due = tuple(section for section in self.sections if section.period in (None, kind))
        return self if len(due) == len(self.sections) else self.model_copy(update={"sections": due})


def _key(data: Mapping[str, Any]) -> str | None:
    return data.get("kpi") or data.get("metric") or data.get("input")
