"""Texts by language. Every one is a ``Text``: Chinese and English stand in the code side by side, where they are used; any other language
is a file of this folder, named by its code, that gives its words for the English ones.

The folder is the list of languages. What a further language has no words for is said in English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Formatter
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import msgspec

from streams import bounded_yaml
from streams.languages import Language

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

#: Those that stand in the code.
WRITTEN: tuple[Language, ...] = ("zh", "en")


class Spoken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A language. ``tag``: as web pages and files call it (BCP 47), ``zh-CN``; ``script``: in which of a person's two names are shown.

    ``colon``, ``comma`` (in a list), ``clause`` (in a sentence) and ``brackets`` are its punctuation, with the blanks around it.
    ``texts``: its words for English ones.
    """

    name: str
    tag: str
    script: Literal["chinese", "latin"] = "latin"
    colon: str = ": "
    comma: str = ", "
    clause: str = ", "
    brackets: str = " ({})"
    texts: dict[str, str] = {}


def read(folder: Traversable) -> Mapping[Language, Spoken]:
    """The languages of a folder's files, those of the code first.

    Raises ValueError, with the file and what to do, for a file that is none, and for words that lack a place which theirs in English have.
    """
    found = {file.name.removesuffix(".yaml"): _spoken(file) for file in folder.iterdir() if file.name.endswith(".yaml")}
    return MappingProxyType({code: found[code] for code in (*WRITTEN, *sorted(found.keys() - set(WRITTEN)))})


def _spoken(file: Traversable) -> Spoken:
    raw = bounded_yaml.load_named(file, "the language")
    try:
        made = msgspec.convert(raw, Spoken)
    except msgspec.ValidationError as error:
        raise ValueError(f"cannot read the language {file}: {error}") from error
    for english, own in made.texts.items():
        if (wanted := _places(english)) != (given := _places(own)):
            raise ValueError(
                f"language {file}: {own!r}: has the places {sorted(given)} where {english!r} has {sorted(wanted)}; write the same ones"
            )
    return made


def _places(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:  # a brace that stands for itself: it is no template
        return set()


SPOKEN: Mapping[Language, Spoken] = read(files("streams.languages"))
LANGUAGES: tuple[Language, ...] = tuple(SPOKEN)


_NO_OTHERS: dict[Language, str] = {}


class Text(Mapping[Language, str]):
    """What people read, by language; in each there is something. It does not change."""

    #: No table for the two that all have: a month of many people is made of texts.
    __slots__ = ("_en", "_others", "_zh")

    def __init__(self, zh: str, en: str, **others: str) -> None:
        """``others``: in further languages; those left out have the words of their file, or English ones."""
        self._zh, self._en = zh, en
        self._others = {
            code: others.get(code) or SPOKEN[code].texts.get(en, en) for code in LANGUAGES[len(WRITTEN) :]
        } or _NO_OTHERS

    @property
    def zh(self) -> str:
        """In Chinese."""
        return self._zh

    @property
    def en(self) -> str:
        """In English."""
        return self._en

    def __getitem__(self, language: Language) -> str:
        return self._zh if language == "zh" else self._en if language == "en" else self._others[language]

    def __iter__(self) -> Iterator[Language]:
        yield from WRITTEN
        yield from self._others

    def __len__(self) -> int:
        return len(WRITTEN) + len(self._others)

    def __hash__(self) -> int:
        return hash((self.zh, self.en))

    def __repr__(self) -> str:
        return f"Text({self.zh!r}, {self.en!r})"

    def format(self, *given: object, **places: object) -> Text:
        """The template with its places filled in; what is a text itself, in each language's own words."""

        def filled(language: Language, template: str) -> str:
            own = [one[language] if isinstance(one, Text) else one for one in given]
            named = {name: one[language] if isinstance(one, Text) else one for name, one in places.items()}
            return template.format(*own, **named)

        return Text(**{language: filled(language, template) for language, template in self.items()})

    def fields(self, name: str = "") -> dict[str, str]:
        """As fields of JSON: ``formula_zh``, ``formula_en``; without a name ``zh``, ``en``."""
        return {f"{name}_{language}" if name else language: said for language, said in self.items()}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        """Of a file and in one: Chinese and English, both of which must be there, and nothing else."""
        from pydantic_core import core_schema as of

        said = of.typed_dict_field(of.str_schema(min_length=1))
        return of.no_info_wrap_validator_function(
            lambda given, read: given if isinstance(given, cls) else cls(**read(given)),
            of.typed_dict_schema({"zh": said, "en": said}, extra_behavior="forbid", cls_name=cls.__name__),
            ref=f"{cls.__module__}.{cls.__name__}:0",
            metadata={"pydantic_js_updates": {"description": "What people read: in Chinese and in English, both."}},
            serialization=of.plain_serializer_function_ser_schema(cls.written),
        )

    def others(self) -> dict[str, str]:
        """In the languages that are not those of the code, by their codes."""
        return dict(self._others)

    def written(self) -> dict[str, str]:
        """As files and stored results have it: in the two languages of the code."""
        return {language: self[language] for language in WRITTEN}
