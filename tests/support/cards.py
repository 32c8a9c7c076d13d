"""Small cards for tests, written as their files would be."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from scoring.cards.load import load
from scoring.cards.model import Card
from scoring.inputs.values import Given


def item(id: str, worth: float | None = 10, **fields: Any) -> dict[str, Any]:
    """An item; without a rule one that people rate."""
    body = {
        "name": {"zh": f"项{id}", "en": f"item {id}"},
        "max": worth,
        "rule_origin": "source",
        "rule": {"type": "manual"},
    }
    return {"id": id, **body, **fields}


def section(id: str, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A section that is worth what its items are."""
    maxima = [one["max"] for one in items if one["max"] is not None]
    worth = sum(maxima) if maxima else None
    return {"id": id, "name": {"zh": f"段{id}", "en": f"section {id}"}, "max": worth, **fields, "items": list(items)}


def written(*sections: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A monthly card of these sections."""
    maxima = [part.get("normalise_to") or part["max"] for part in sections if part["max"] is not None]
    return {
        "schema": "deskpulse/card/1",
        "id": "ours",
        "version": "1",
        "name": {"zh": "我们的卡", "en": "ours"},
        "role": "agent",
        "period": "month",
        "total": {"method": "sum_of_points", "max": sum(maxima) if maxima else None},
        **fields,
        "sections": list(sections),
    }


def saved(body: Mapping[str, Any], folder: Path, name: str = "ours.yaml") -> Path:
    """The file with this content."""
    file = folder / name
    file.write_text(yaml.safe_dump(dict(body), allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file


def card(*sections: dict[str, Any], folder: Path, **fields: Any) -> Card:
    """A monthly card of these sections, through the loader."""
    return load(saved(written(*sections, **fields), folder))


def rated(**ratings: float | str) -> dict[str, Given | Decimal]:
    """Ratings by item id."""
    return {id: Given(value=Fraction(str(rating))) for id, rating in ratings.items()}
