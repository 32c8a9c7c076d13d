"""What follows from totals: grades, pay, stars, streaks, awards, and the follow-up actions they open."""

from scoring.outcomes.decide import Outcomes, PersonOutcome, decide
from scoring.outcomes.load import SettingsError, parse
from scoring.outcomes.pay import PayConflictError
from scoring.outcomes.people import Amounts, Dimension, History, Measured, Past, Person, RatedDay
from scoring.outcomes.settings import Settings
from scoring.outcomes.terms import Term

__all__ = [
    "Amounts",
    "Dimension",
    "History",
    "Measured",
    "Outcomes",
    "Past",
    "PayConflictError",
    "Person",
    "PersonOutcome",
    "RatedDay",
    "Settings",
    "SettingsError",
    "Term",
    "decide",
    "parse",
]
