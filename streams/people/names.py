"""Names as they are shown: put in for an id where somebody looks who may see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, Protocol, TypeAlias

from streams.languages import Language
from streams.languages.text import LANGUAGES, SPOKEN, Text
from streams.people.person import Person

Role: TypeAlias = Literal["agent", "supervisor", "hr"]


class Viewer(Protocol):
    """Somebody who looks. Agents see themselves, supervisors their team, HR everybody."""

    @property
    def role(self) -> Role:
        """What they are."""

    @property
    def person(self) -> str | None:
        """Their own id; None: not told."""

    @property
    def team(self) -> str | None:
        """The team that a supervisor leads."""

    def may_see(self, person: str, team: str | None) -> bool:
        """May they see what is this person's, who is of that team?"""


class Names:
    """Id → name. Whoever has none, or is not to be seen, is shown by their id."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self._of: Mapping[str, Person] = {person.agent_id: person for person in people}
        self._borne = {
            language: Counter(_name(person, language) for person in self._of.values()) for language in LANGUAGES
        }

    def __bool__(self) -> bool:
        return bool(self._of)

    def __contains__(self, id: str) -> bool:
        return id in self._of

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def plain(self, id: str, language: Language) -> str | None:
        """The name alone, in the language's script where it is known, else in the other; None: there is none."""
        person = self._of.get(id)
        return None if person is None else _name(person, language)

    def both(self, id: str) -> str | None:
        """The name in both scripts, ``李娜 Li Na``; None: there is none."""
        person = self._of.get(id)
        return None if person is None else " ".join(filter(None, (person.name_zh, person.name_latin)))

    def beside(self, id: str) -> str:
        """The id, and the name behind it where there is one: ``A17 李娜 Li Na``."""
        return " ".join(filter(None, (id, self.both(id))))

    def shown(self, id: str, language: Language) -> str:
        """How somebody is called where their id does not stand beside: the name, with the id where others bear the same; else the id."""
        name = self.plain(id, language)
        if name is None:
            return id
        if self._borne[language][name] == 1:
            return name
        return name + SPOKEN[language].brackets.format(id)

    def in_texts(self, id: str) -> Text | None:
        """What somebody is called in a text; None: by their id."""
        return Text(**{language: self.shown(id, language) for language in LANGUAGES}) if id in self._of else None

    def only(self, wanted: Callable[[str], bool]) -> Names:
        """The same of some people only. Namesakes are still told apart, by whoever is there."""
        made = Names(person for id, person in self._of.items() if wanted(id))
        made._borne = self._borne
        return made

    def ids(self, name: str) -> list[str]:
        """Who bears this name, in any script and case."""
        wanted = name.strip().casefold()
        return sorted(
            id
            for id, person in self._of.items()
            if wanted in {written.casefold() for written in (person.name_zh, person.name_latin) if written}
        )

    def id_of(self, said: str, option: str = "") -> str:
        """The id of a known name; anything else stays as it was said. Raises ValueError for a name that several bear, with what to write:
        an id, behind the ``option`` that takes it.
        """
        bearers = [] if said in self._of else self.ids(said)
        if len(bearers) > 1:
            ids = " or ".join(option + id for id in bearers)
            raise ValueError(f"{len(bearers)} people are called {said}; give the id: {ids}")
        return bearers[0] if bearers else said

    def author(self, said: str) -> str:
        """Who acts, as it is kept: a known name becomes the id, so that trails hold ids only; anything else stays as it was said.

        Raises ValueError for nobody, and for a name that several bear.
        """
        if not (who := said.strip()):
            raise ValueError("say who does this: --by ID")
        return self.id_of(who, "--by ")


def _name(person: Person, language: Language) -> str:
    first, second = (person.name_zh, person.name_latin)[:: 1 if SPOKEN[language].script == "chinese" else -1]
    return first or second or person.agent_id
