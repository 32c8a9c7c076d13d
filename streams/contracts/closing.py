"""What ``deskpulse score close --json`` says of a month that is over: how its runs stand, and who still owes which inputs."""

from __future__ import annotations

from msgspec import Struct

from streams.languages.text import Text


class Words(Struct, frozen=True):
    """The same in both languages."""

    zh: str
    en: str

    @classmethod
    def of(cls, text: Text) -> Words:
        """The text, as others are told it."""
        return cls(**text.written())

    @property
    def text(self) -> Text:
        """The text, as it was told."""
        return Text(self.zh, self.en)


class Giver(Struct, frozen=True):
    """Who is to give inputs: ``person``, where it is known who that is; else ``whom``, as cards call them."""

    whom: Words
    person: str | None = None


class Share(Struct, frozen=True):
    """What somebody owes for one run: how many ``values`` of how many ``people``, and the sheet to fill in (None: not written)."""

    card: str
    name: Words
    period: str
    values: int
    people: int
    file: str | None = None


class Owed(Struct, frozen=True):
    """All that one giver owes."""

    giver: Giver
    shares: tuple[Share, ...]


class Standing(Struct, frozen=True):
    """How the run of a card and period stands after the close. ``prepared``: by the close, now or before; False: by somebody, who has it
    in hand. ``missing``: values that people are still to give. ``trouble``: why there is no run; then the rest says nothing.
    """

    card: str
    name: Words
    period: str
    state: str | None = None
    people: int = 0
    prepared: bool = False
    missing: int = 0
    trouble: str | None = None


class Closing(Struct, frozen=True):
    """A month that is over."""

    month: str
    runs: tuple[Standing, ...]
    owed: tuple[Owed, ...]
