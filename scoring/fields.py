"""Parts that cards and profiles are made of."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from streams.languages.text import Text

Id: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
NonEmpty: TypeAlias = Annotated[str, Field(min_length=1)]
#: Points that something is worth at most.
Worth: TypeAlias = Annotated[Decimal, Field(gt=0, le=1_000_000, max_digits=12)]
Percent: TypeAlias = Annotated[Decimal, Field(ge=0, le=100, max_digits=12)]
#: A row of the catalogue of source documents, or a reading taken there where a source is ambiguous.
Row: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*-[0-9]+$")]


class Part(BaseModel):
    """Something a file states: nothing unknown in it, and nobody changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def joined(parts: Iterable[Text]) -> Text:
    """Several reasons as one, in their order."""
    given = list(parts)
    return Text("；".join(part.zh for part in given), "; ".join(part.en for part in given))


class Source(Part):
    """The document something was taken from, and its lines there."""

    document: NonEmpty
    lines: NonEmpty
