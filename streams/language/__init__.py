"""What commands say to people, in Chinese where that is their language.

Programs are written in English, and an English text is its own key: ``zh.yaml`` has the Chinese for it. Help is looked up paragraph by
paragraph, a message line by line. A message that holds values is written there with names for them, ``row {row}: {why}``; what stands
for a name that begins with ``why`` is looked up in its turn. What is not there stays English: it is never lost.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

Language: TypeAlias = Literal["zh", "en"]

#: Says the language of commands; without it the locale does, as with all programs.
VARIABLE = "DESKPULSE_LANGUAGE"
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
_NAME = re.compile(r"\{(\w+)\}")
#: Says where something is, and then what: ``{file}, row {row}: {why}``.
_PLACE = re.compile(r"\{\w+\}.*: ?\{why\w*\}")
#: Where typer keeps the few words of its own, in the releases that have them.
_TYPERS_OWN = (
    *("ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "COMMANDS_PANEL_TITLE", "ERRORS_PANEL_TITLE", "ABORTED_TEXT"),
    *("DEFAULT_STRING", "ENVVAR_STRING", "REQUIRED_LONG_STRING", "RICH_HELP"),
)


def language(environment: Mapping[str, str] | None = None) -> Language:
    """The language of whoever types: Chinese where ``DESKPULSE_LANGUAGE``, else the locale, begins with ``zh``; English otherwise."""
    given = os.environ if environment is None else environment
    said = next((given[name] for name in (VARIABLE, *_LOCALE) if given.get(name)), "")
    return "zh" if said.lower().startswith("zh") else "en"


@dataclass(frozen=True)
class Catalogue:
    """Chinese texts by the English ones: ``help`` and ``messages``, as the file has them."""

    help: Mapping[str, str]
    messages: Mapping[str, str]

    def help_said(self, text: str) -> str:
        """A help text, paragraph by paragraph."""
        return "\n\n".join(self.help.get(part, part) for part in paragraphs(text))

    def said(self, message: str) -> str:
        """A message, line by line."""
        return "\n".join(self._line(line) for line in message.split("\n"))

    def _line(self, line: str) -> str:
        if (exact := self.messages.get(line)) is not None:
            return exact
        for pattern, zh in self._patterns:
            if found := pattern.fullmatch(line):
                values = {
                    name: self._line(value) if name.startswith("why") else value
                    for name, value in found.groupdict().items()
                }
                return zh.format_map(values)
        # A place that no template knows, such as a line of a file: what is said of it may be known.
        place, colon, why = line.partition(": ")
        return f"{self._line(place)}：{told}" if colon and (told := self._line(why)) != why else line

    @property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return _compiled(tuple(self.messages.items()))


@lru_cache(maxsize=4)
def _compiled(messages: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """What says where comes off first, then those that say most of themselves, so that none hides another that is more exact."""

    def rank(pair: tuple[str, str]) -> tuple[bool, int]:
        return _PLACE.fullmatch(pair[0]) is not None, len(_NAME.sub("", pair[0]))

    ranked = sorted(messages, key=rank, reverse=True)
    return tuple((re.compile(pattern_of(en)), zh) for en, zh in ranked if _NAME.search(en))


def pattern_of(template: str) -> str:
    """A template as a regular expression with a group for each of its names."""
    parts = _NAME.split(template)
    return "".join(f"(?P<{part}>.*?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))


def paragraphs(text: str) -> list[str]:
    """A help text's paragraphs, each on one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.replace("\f", "\n\n")) if part.strip()]


@lru_cache(maxsize=1)
def chinese() -> Catalogue:
    """The Chinese texts of the program."""
    # Whoever reads English needs no reader of files: commands start without it.
    from importlib.resources import files

    from streams import bounded_yaml

    told = bounded_yaml.load_named(files("streams.language").joinpath("zh.yaml"), "the Chinese of commands")
    return Catalogue(told["help"], told["messages"])


def said(message: str) -> str:
    """A message in the language of whoever reads it."""
    return chinese().said(message) if language() == "zh" else message


def helped(command: Any) -> None:
    """Put the help of a command, and of all below it, into the language of whoever reads it."""
    if language() == "zh":
        _own_words()
        for one in _with_all_below(command):
            _help(one)


def helped_alone(command: Any) -> None:
    """The same for a command alone: those below it are not imported yet."""
    if language() == "zh":
        _own_words()
        _help(command)


def _with_all_below(command: Any) -> Iterator[Any]:
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _with_all_below(below)


def _help(command: Any) -> None:
    texts = chinese()
    for name in ("help", "short_help", "epilog"):
        if text := getattr(command, name, None):
            setattr(command, name, texts.help_said(text))
    for parameter in command.params:
        if text := getattr(parameter, "help", None):
            parameter.help = texts.help_said(text)
    own = command.get_help_option

    def help_option(context: Any) -> Any:
        option = own(context)
        if option is not None and option.help:
            option.help = texts.help_said(option.help)
        return option

    command.get_help_option = help_option


def _own_words() -> None:
    from typer import rich_utils

    for name in _TYPERS_OWN:
        if text := getattr(rich_utils, name, None):
            setattr(rich_utils, name, chinese().help.get(text, text))
