"""Customers of the simulated desk: who they are, what they want, how long they wait, how they judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp
from random import Random

from streams.sources.simulated.desk import Role

_CUSTOMERS = 30_000
COMPLAINT = "complaint"
#: What people come for: topic, kind and weight.
_MATTERS: dict[Role, tuple[tuple[str, str, float], ...]] = {
    "phone": (
        ("order_status", "inquiry", 30),
        ("delivery_time", "inquiry", 26),
        ("invoice", "inquiry", 12),
        ("payment", "inquiry", 10),
        ("late_delivery", COMPLAINT, 5),
        ("refund", "refund", 9),
        ("return", "return", 8),
    ),
    "chat": (
        ("product", "inquiry", 34),
        ("order_status", "inquiry", 24),
        ("promotion", "inquiry", 18),
        ("refund", "refund", 10),
        ("return", "return", 9),
        ("quality", COMPLAINT, 5),
    ),
    "after_sales": (
        ("installation", "inquiry", 24),
        ("fault", "fault", 34),
        ("warranty", "inquiry", 16),
        ("return", "return", 14),
        ("quality", COMPLAINT, 12),
    ),
}
#: A wait beyond this has made the customer cross, in seconds.
CROSS_AFTER = 60.0


@dataclass(frozen=True)
class Customer:
    """A customer by their pseudonym."""

    id: str
    vip: bool


@dataclass(frozen=True)
class Matter:
    """What a customer (None: an unknown one) comes for, and which role's business it is."""

    customer: Customer | None
    role: Role
    topic: str
    kind: str

    def again(self, random: Random, cross: bool) -> Matter:
        """The same matter when they come back, which may by now be a complaint."""
        complains = random.random() < (0.15 if cross else 0.05)
        return replace(self, kind=COMPLAINT) if complains else self


class Public:
    """Everyone who may get in touch. A few come often, most seldom."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._customers = [
            Customer(f"{random.getrandbits(64):016x}", random.random() < 0.05) for _ in range(_CUSTOMERS)
        ]

    def matter(self, role: Role, known_share: float = 1.0) -> Matter:
        """Somebody with something to ask of a team; of callers not everyone is recognised."""
        random = self._random
        customer = None
        if random.random() < known_share:
            customer = self._customers[int(len(self._customers) * random.random() ** 2)]
        matters = _MATTERS[role]
        topic, kind, _ = random.choices(matters, weights=[weight for _, _, weight in matters])[0]
        return Matter(customer, role, topic, kind)

    def is_resolved(self, matter: Matter, waited: float) -> bool:
        """Is the matter settled? Complaints less often, and everything less often when the desk is in a hurry."""
        calm, hurried = (0.75, 0.5) if matter.kind == COMPLAINT else (0.92, 0.78)
        return self._random.random() < (calm if waited <= CROSS_AFTER else hurried)

    def rating(self, waited: float, resolved: bool) -> float:
        """A rating from 1 to 5 of a contact: it falls with the wait and with a matter left open."""
        happy = 0.97 - 0.45 * (1 - exp(-max(0.0, waited - 20) / 40)) - (0 if resolved else 0.4)
        scores, weights = ((5, 4), (7, 3)) if self._random.random() < happy else ((3, 2, 1), (4, 2, 3))
        return float(self._random.choices(scores, weights)[0])

    def rates(self) -> tuple[bool, bool]:
        """Are they asked to rate, and do they?"""
        asked = self._random.random() < 0.6
        return asked, asked and self._random.random() < 0.45

    def lognormal(self, mean: float, sigma: float) -> float:
        """A duration: positive, skewed, with this mean."""
        return mean * exp(self._random.gauss(0, sigma) - sigma * sigma / 2)
