"""What an operation does with plain customer ids."""

from __future__ import annotations

from streams.settings import Settings
from streams.sources.expressions.functions import pseudonyms
from streams.worker.customer_ids import CustomerIds


def customer_ids(settings: Settings) -> CustomerIds | None:
    """What the worker does with plain customer ids. Raises ValueError where it is to make pseudonyms and has no key."""
    match settings.customer_ids:
        case "any":
            return None
        case "refuse":
            return CustomerIds(None)
    if not settings.pseudonym_key:
        raise ValueError(
            "DESKPULSE_CUSTOMER_IDS=pseudonymise needs DESKPULSE_PSEUDONYM_KEY: set it to a long secret and keep it (another key "
            "makes other customers of the same people)"
        )
    return CustomerIds(pseudonyms(settings.pseudonym_key.encode()))
