"""How a table file is written: the keys of a mapping that speak of the file and not of its meaning."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from streams.sources.expressions.written import check_format

_KINDS: dict[str, Literal["date", "time", "datetime"]] = {
    "date_format": "date", "time_format": "time", "datetime_format": "datetime",
}  # fmt: skip
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


class TableError(ValueError):
    """A table file that cannot be read as a whole: says which, where and what to do."""


def text_encoding(name: str) -> str:
    """Python's name of an encoding of texts. Raises ValueError for what is none."""
    try:
        b"a".decode(name, "replace")  # what turns bytes into bytes, or texts into texts, fails only here
        return codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise ValueError(f"{name!r} is no encoding of texts; write it like utf-8 or gb18030") from error


class Layout(BaseModel):
    """How the file is written. What is left out is found out from the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["auto", "text", "spreadsheet", "html"] = Field(
        "auto", description="auto: by what the file holds, whatever its name"
    )
    delimiter: Literal["auto", "comma", "semicolon", "tab", "pipe"] = Field(
        "auto", description="auto: the one that gives the header most cells"
    )
    encoding: str = Field("auto", description="auto: UTF-8, or UTF-16 with a byte order mark; else like gb18030")
    sheet: str | None = Field(
        None, description="Sheet of a spreadsheet, the first where absent; of HTML the number of the table"
    )
    skip_rows: int = Field(0, ge=0, description="Rows above the header")
    header_rows: Annotated[int, Field(ge=1, le=5)] = Field(
        1,
        description="Rows of the header: the names of a column are joined by a space, those above several columns hold for each",
    )
    columns: tuple[str, ...] | None = Field(
        None, description="Names of the columns, in order, of a file without a header"
    )
    blanks: tuple[Annotated[str, Field(coerce_numbers_to_str=True)], ...] = Field(
        (), description="What stands in a cell that is empty, like -, NULL or \\N"
    )
    short_rows: Literal["reject", "blank"] = Field(
        "reject", description="A row with fewer cells than the header; blank: those that are missing are empty"
    )
    totals: Literal["reject", "skip", "keep"] = Field(
        "reject", description="A row that begins with 合计, Total or the like; keep: it is a row like all others"
    )
    date_format: str | None = Field(None, description="strptime format of dates; ISO 8601 where absent")
    time_format: str | None = Field(None, description="strptime format of times of day; H:MM[:SS] where absent")
    datetime_format: str | None = Field(None, description="strptime format of both in one; ISO 8601 where absent")

    @field_validator("date_format", "time_format", "datetime_format")
    @classmethod
    def _reads_all(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            check_format(value, _KINDS[info.field_name or ""])
        return value

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, value: str) -> str:
        if value != "auto":
            text_encoding(value)
        return value

    @model_validator(mode="after")
    def _one_header(self) -> Self:
        if self.columns is not None and "header_rows" in self.model_fields_set:
            raise ValueError(
                "columns: they are for files without a header: leave out `header_rows` (or `skip_rows` it)"
            )
        return self
