"""JSON Schema of the files that people write, so that editors complete and check them."""

from __future__ import annotations

import json

from pydantic import BaseModel

from scoring.cards.model import Card
from scoring.cards.profile_calendar import Calendar
from scoring.cards.profiles import Profile

_DOCUMENTS: dict[str, type[BaseModel]] = {"card": Card, "profile": Profile, "calendar": Calendar}


def schemas() -> dict[str, str]:
    """File name → JSON Schema (draft 2020-12) of cards, profiles and calendars."""
    made = {}
    for name, model in _DOCUMENTS.items():
        body = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | model.model_json_schema(by_alias=True)
        made[f"{name}.schema.json"] = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    return made
