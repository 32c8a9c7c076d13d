"""A message before any channel has given it a form, and how it is made to fit into so many bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from streams.languages import Language

_Body = TypeVar("_Body")
Severity = Literal["info", "warning", "critical", "resolved"]


class Link(Struct, frozen=True):
    """A place to go to."""

    text: str
    url: str


class Recipient(Struct, frozen=True, omit_defaults=True):
    """Somebody who is called by name: their ids in the chat and in the mail, as the people's table has them."""

    name: str
    chat_id: str | None = None
    email: str | None = None


class Attachment(Struct, frozen=True):
    """A file that goes with a message, where the channel takes files (mail). ``type``: its media type."""

    name: str
    type: str
    body: bytes


class Message(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is told. ``lines``: what happened, with its figures; ``roster``: whom it is about, the first are shown where not all fit, and
    then ``more`` says of how many others; ``copy``: said in front where it may be the second of its kind.
    """

    language: Language
    severity: Severity
    title: str
    lines: tuple[str, ...] = ()
    roster: tuple[str, ...] = ()
    more: str = "… {}"
    links: tuple[Link, ...] = ()
    people: tuple[Recipient, ...] = ()
    copy: str = ""
    files: tuple[Attachment, ...] = ()
    #: How many of the roster are left out.
    left_out: int = 0

    @property
    def all_lines(self) -> tuple[str, ...]:
        """Everything but title and links, from top to bottom."""
        more = (self.more.format(self.left_out),) if self.left_out else ()
        return (*((self.copy,) if self.copy else ()), *self.lines, *self.roster, *more)


def fit(message: Message, render: Callable[[Message], _Body], size: Callable[[_Body], int], limit: int) -> _Body:
    """The message in a channel's form, with as much as its ``limit`` lets through: first some of the roster is left out, then lines are
    cut, then links.

    Raises ValueError where not even an empty message fits.
    """

    def fits(candidate: Message) -> bool:
        return size(render(candidate)) <= limit

    # A line takes its own bytes at least: of a long list, most need not be tried.
    possible, left = 0, limit
    while possible < len(message.roster) and left >= 0:
        left -= len(message.roster[possible].encode())
        possible += 1
    if possible == len(message.roster) and fits(message):
        return render(message)
    for shorter, most in _ways(message, min(possible, len(message.roster) - 1), limit):
        shown = _largest(lambda number, shorter=shorter: fits(shorter(number)), most)  # type: ignore[misc]
        if shown is not None:
            return render(shorter(shown))
    raise ValueError(f"no message fits into {limit}")


def _ways(message: Message, possible: int, limit: int) -> tuple[tuple[Callable[[int], Message], int], ...]:
    """From the gentlest to the last: a message by a number, and the largest number."""
    total = len(message.roster) + message.left_out

    def of_roster(shown: int) -> Message:
        return replace(message, roster=message.roster[:shown], left_out=total - shown)

    bare = of_roster(0)
    texts = (message.title, *message.lines, message.copy, *(link.text for link in message.links))
    longest = min(limit, max(map(len, texts)))

    def cut(characters: int) -> Message:
        return replace(
            bare,
            title=_cut(bare.title, characters),
            lines=tuple(_cut(line, characters) for line in bare.lines),
            links=tuple(replace(link, text=_cut(link.text, max(characters, 1))) for link in bare.links),
        )

    def title_only(characters: int) -> Message:
        # That it may be a copy is said at any length: it is short and our own.
        return replace(bare, title=_cut(bare.title, characters), lines=(), links=(), people=(), left_out=0, more="")

    return (of_roster, max(0, possible)), (cut, longest), (title_only, longest)


def _largest(fits: Callable[[int], bool], most: int) -> int | None:
    """The largest number up to ``most`` that fits, where smaller ones fit if larger ones do; None: not even 0."""
    if not fits(0):
        return None
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: max(0, characters - 1)]}…"


def encoded(body: object) -> bytes:
    """JSON as it is sent: in UTF-8, with nothing escaped that need not be, as the limits of robots are of bytes."""
    return msgspec.json.encode(body)
