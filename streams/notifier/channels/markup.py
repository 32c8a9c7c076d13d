"""Markdown as chat robots read it, of texts that people and systems have written: what they wrote is shown, and does nothing."""

from __future__ import annotations

import re

from streams.notifier.message import Message

#: Signs that would become a link, a call to everybody or a style, as letters that look alike: robots know no escapes.
_HARMLESS = {
    "<": "＜", ">": "＞", "[": "［", "]": "］", "*": "＊", "`": "｀", "#": "＃", "~": "～", "\n": " ", "\r": " ",
}  # fmt: skip
_SIGNS = re.compile("[" + re.escape("".join(_HARMLESS)) + "]")


def harmless(text: str) -> str:
    """The text without a sign that does something."""
    return _SIGNS.sub(lambda found: _HARMLESS[found[0]], text)


def links(message: Message) -> str:
    """The links in one line; none: empty."""
    return " · ".join(f"[{harmless(link.text)}]({link.url})" for link in message.links)


def plain(message: Message) -> str:
    """Everything but the title as text, the links below."""
    return "\n".join((*message.all_lines, *(f"{link.text}: {link.url}" for link in message.links)))
