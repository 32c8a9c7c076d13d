"""What the program says in English, in the language of whoever reads it: help, what commands have done, why something is refused.

An English text is its own key: a file of this folder, named by its language's code, has the words for it. Help is looked up paragraph by
paragraph, a message line by line. A message that holds values is written there with names for them, ``row {row}: {why}``; what stands
for a name that begins with ``why`` is looked up in its turn. What is not there stays English: it is never lost. What libraries say to
whoever types or asks (a missing option, a field of the wrong type) is looked up like a message of ours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from inspect import unwrap
from typing import Any

from streams.languages import Language

#: Says the language of commands; without it the locale does, as with all programs.
VARIABLE = "DESKPULSE_LANGUAGE"
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
#: Of a request, so many languages are looked at.
_MOST_LANGUAGES = 20
_SOURCE: Language = "en"
#: Reasons within reasons that are looked for: no message of ours has half as many.
_MOST_WITHIN = 8
_CODE = re.compile("[a-z]{2,3}(?![a-z])")
_NAME = re.compile(r"\{(\w+)\}")
#: Says where something is, or what kind of error it is, and then what: ``{file}, row {row}: {why}``, ``Value error, {why}``.
_PLACE = re.compile(r"\{\w+\}.*: ?\{why\w*\}|[^{]+, \{why\w*\}")
#: Where typer keeps the few words of its own, in the releases that have them.
_TYPERS_OWN = (
    *("ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "COMMANDS_PANEL_TITLE", "ERRORS_PANEL_TITLE", "ABORTED_TEXT"),
    *("DEFAULT_STRING", "ENVVAR_STRING", "REQUIRED_LONG_STRING", "RICH_HELP"),
)
#: Its words in the line that says how a command is written.
_USAGE = ("Usage: ", "COMMAND [ARGS]...", "[OPTIONS]")


def language(environment: Mapping[str, str] | None = None) -> Language:
    """The language of whoever types: that of ``DESKPULSE_LANGUAGE``, else of the locale (``zh_CN.UTF-8``), where this folder has it;
    English otherwise.
    """
    given = os.environ if environment is None else environment
    return _known(next((given[name] for name in (VARIABLE, *_LOCALE) if given.get(name)), "")) or _SOURCE


def preferred(accepted: str) -> Language:
    """The language of whoever sends a request with this ``Accept-Language``: of those that it takes, the one it likes best that is here;
    English where it has none of them, or says nothing that can be read.
    """
    ranked = sorted(map(_liked, accepted.split(",")[:_MOST_LANGUAGES]), key=lambda one: one[1], reverse=True)
    return next((code for tag, liking in ranked if liking > 0 and (code := _known(tag))), _SOURCE)


def _liked(entry: str) -> tuple[str, float]:
    tag, _, quality = entry.strip().partition(";")
    found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", quality)
    return tag, float(found[1]) if found else 0.0 if quality else 1.0


def _known(tag: str) -> Language | None:
    """The language of a locale or a tag, where there is one here."""
    if (found := _CODE.match(tag.lower())) is None:
        return None
    code = found[0]
    return code if code == _SOURCE or _file(code).is_file() else None


def _file(language: Language) -> Any:
    # Whoever reads English needs no reader of files: commands start without it.
    from importlib.resources import files

    return files(__name__).joinpath(f"{language}.yaml")


@dataclass(frozen=True)
class Catalogue:
    """A language's texts by the English ones: ``help`` and ``messages``, those of libraries among them. ``colon``: its punctuation."""

    help: Mapping[str, str]
    messages: Mapping[str, str]
    colon: str = ": "

    def help_said(self, text: str) -> str:
        """A help text, paragraph by paragraph."""
        return "\n\n".join(self.help.get(part, part) for part in paragraphs(text))

    def said(self, message: str) -> str:
        """A message, line by line."""
        return "\n".join(self._line(line) for line in message.split("\n"))

    def _line(self, line: str, within: int = 0) -> str:
        if (exact := self.messages.get(line)) is not None:
            return exact
        if within > _MOST_WITHIN:
            return line
        for template, own in self._templates:
            if (found := template.values(line)) is not None:
                told = {
                    n: self._line(value, within + 1) if n.startswith("why") else value for n, value in found.items()
                }
                return own.format_map(told)
        # A place that no template knows, such as a line of a file: what is said of it may be known.
        place, colon, why = line.partition(": ")
        if colon and (own := self._line(why, within + 1)) != why:
            return f"{self._line(place, within + 1)}{self.colon}{own}"
        return line

    @property
    def _templates(self) -> tuple[tuple[Template, str], ...]:
        return _ranked(tuple(self.messages.items()))


@dataclass(frozen=True)
class Template:
    """A message with names for its values: ``row {row}: {why}``. ``between``: its own words, before, between and after the ``names``."""

    names: tuple[str, ...]
    between: tuple[str, ...]

    @staticmethod
    def of(text: str) -> Template:
        """The template that a text is."""
        parts = _NAME.split(text)
        return Template(tuple(parts[1::2]), tuple(parts[::2]))

    def values(self, line: str) -> dict[str, str] | None:
        """Name → what stands for it in a line, the first as short as can be, then the next; None: it is another message.

        Each of its words is looked for once, so that no line, whoever made it, takes long.
        """
        first, *middle, last = self.between
        at, end = len(first), len(line) - len(last)
        if not line.startswith(first) or not line.endswith(last):
            return None
        found = []
        for words in middle:
            if (there := line.find(words, at, end)) < 0:
                return None
            found.append(line[at:there])
            at = there + len(words)
        return None if at > end else dict(zip(self.names, (*found, line[at:end]), strict=True))


@lru_cache(maxsize=4)
def _ranked(messages: tuple[tuple[str, str], ...]) -> tuple[tuple[Template, str], ...]:
    """What says where comes off first, then those that say most of themselves, so that none hides another that is more exact."""

    def rank(pair: tuple[str, str]) -> tuple[bool, int]:
        return _PLACE.fullmatch(pair[0]) is not None, len(_NAME.sub("", pair[0]))

    ranked = sorted(messages, key=rank, reverse=True)
    return tuple((Template.of(en), own) for en, own in ranked if _NAME.search(en))


def paragraphs(text: str) -> list[str]:
    """A help text's paragraphs, each on one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.replace("\f", "\n\n")) if part.strip()]


@lru_cache(maxsize=8)
def catalogue(language: Language) -> Catalogue:
    """What the program says in a language: of English nothing, it is what stands in the program."""
    if language == _SOURCE:
        return Catalogue({}, {})
    from streams import bounded_yaml
    from streams.languages.text import SPOKEN

    told = bounded_yaml.load_named(_file(language), f"what commands say in {language}")
    helps, libraries, messages = (told.get(part, {}) for part in ("help", "libraries", "messages"))
    return Catalogue(helps, {**libraries, **messages}, SPOKEN[language].colon)


def said(message: str, into: Language | None = None) -> str:
    """A message in a language; None: that of whoever types."""
    return catalogue(into or language()).said(message)


def tell(message: str, err: bool = False) -> None:
    """Say to whoever has typed a command what came of it, in their language. ``err``: on the error stream."""
    import typer

    typer.echo(said(message), err=err)


def helped(command: Any) -> None:
    """Put the help of a command, and of all below it, into the language of whoever reads it."""
    if (own := language()) != _SOURCE:
        _own_words(catalogue(own))
        for one in _with_all_below(command):
            _help(one, catalogue(own))


def helped_alone(command: Any) -> None:
    """The same for a command alone: those below it are not imported yet."""
    if (own := language()) != _SOURCE:
        _own_words(catalogue(own))
        _help(command, catalogue(own))


def _with_all_below(command: Any) -> Iterator[Any]:
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _with_all_below(below)


def _help(command: Any, texts: Catalogue) -> None:
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
    usage = command.get_usage

    def how_it_is_written(context: Any) -> str:
        line: str = usage(context)
        for words in _USAGE:
            line = line.replace(words, texts.help.get(words, words))
        return line

    command.get_usage = how_it_is_written


def _own_words(texts: Catalogue) -> None:
    from typer import rich_utils

    for name in _TYPERS_OWN:
        if text := getattr(rich_utils, name, None):
            setattr(rich_utils, name, texts.help.get(text, text))
    show = unwrap(rich_utils.rich_format_error)

    @wraps(show)
    def told(error: Any) -> None:
        words = said(error.format_message())
        error.format_message = lambda: words
        show(error)

    rich_utils.rich_format_error = told  # type: ignore[assignment]
