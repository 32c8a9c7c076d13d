"""How a table file is written: the keys of a mapping that speak of the file and not of its meaning."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


class TableError(ValueError):
    """A table file that cannot be read as a whole: says which, where and what to do."""


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
    def _reads_halves(cls, value: str | None) -> str | None:
        if value is not None and "%p" in value and "%I" not in value:
            raise ValueError(f"{value!r}: with %p the hour is %I; with %H the half of the day would be passed over")
        return value

    @model_validator(mode="after")
    def _one_header(self) -> Self:
        if self.columns is not None and "header_rows" in self.model_fields_set:
            raise ValueError(
                "columns: they are for files without a header: leave out `header_rows` (or `skip_rows` it)"
            )
        return self
