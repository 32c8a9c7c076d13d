"""Parts that cards and profiles are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from streams.languages import SPOKEN

Id: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
#: Points that something is worth at most.
Worth: TypeAlias = Annotated[Decimal, Field(gt=0, le=1_000_000, max_digits=12)]
Percent: TypeAlias = Annotated[Decimal, Field(ge=0, le=100, max_digits=12)]
#: A row of the catalogue of source documents, or a reading taken there where a source is ambiguous.
Row: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*-[0-9]+$")]


class Part(BaseModel):
    """Something a file states: nothing unknown in it, and nobody changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Words:
    """What people read, in Chinese and in English: the one shape of a text in files and inside. In a file both must be there."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    zh: Text
    en: Text

    def __getitem__(self, language: str) -> str:
        """The text in a language: where that is neither of the two, what its file says for the English one."""
        if language in ("zh", "en"):
            return self.zh if language == "zh" else self.en
        return SPOKEN[language].texts.get(self.en, self.en)


def joined(parts: Iterable[Words]) -> Words:
    """Several reasons as one, in their order."""
    given = list(parts)
    return Words("；".join(part.zh for part in given), "; ".join(part.en for part in given))


class Source(Part):
    """The document something was taken from, and its lines there."""

    document: Text
    lines: Text
