"""What one rule gives each person by themselves, such as stars: how an outcome is added.

A module with a rule and what it gives, and a field of ``Settings`` that has the rule: sheets, the workbook, results and files have it from
here, under the name of the field.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Protocol

from scoring.fields import Part
from scoring.outcomes.parts import EVERYBODY, Who
from scoring.outcomes.people import Person
from scoring.outcomes.standing import Mean, Standing
from scoring.outcomes.terms import Kind, Term
from streams.languages.text import Text


class Given(Protocol):
    """What somebody is given for a term: a frozen dataclass, as results keep it."""

    #: What it is called.
    label: ClassVar[Text]

    @property
    def term(self) -> Term:
        """The month, quarter or year that it is given for."""

    @property
    def value(self) -> int | str | None:
        """What files say; None where it cannot be told."""

    @property
    def reason(self) -> Text:
        """How it comes about, or what lacks."""


class GivingRule(Part, ABC):
    """A rule that stands under a key of its own in the settings and looks at one person at a time."""

    who: Who = EVERYBODY

    @abstractmethod
    def give(self, person: Person, standings: Mapping[Kind, Standing], means: Mapping[Kind, Mean]) -> Given | None:
        """What this person is given; ``standings``: theirs in the run's period, and in longer terms that end with it. ``means``: of their
        months in each of these, which differ from the standings where a card is scored by month and by quarter.

        None where the rule's term is not over.
        """
