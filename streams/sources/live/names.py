"""What an operation calls its agents and queues, by the names that a system has for them; a source's file, refused with reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import phonenumbers
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from streams import bounded_yaml

Model = TypeVar("Model", bound=BaseModel)
#: An agent's or a queue's id.
NamedId: TypeAlias = Annotated[str, Field(min_length=1, max_length=256)]
#: The `source` of events, and of the files in which a follower keeps its place.
SourceName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


def _region(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{text!r} is no region; write it like CN or DE")
    return text


#: Where customers' telephone numbers are written.
Region: TypeAlias = Annotated[str, AfterValidator(_region)]


def load_as(model: type[Model], path: Path, system: str = "") -> Model:
    """A source's file. ``system``: what ``deskpulse source example`` shows one of. Raises ValueError that names the file and the key."""
    try:
        return model.model_validate(bounded_yaml.load_named(path, "the source's file"))
    except ValidationError as error:
        first = error.errors()[0]
        example = f"deskpulse source example {system}".rstrip()
        raise ValueError(
            f"{path}: {'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}; `{example}` shows how it is written"
        ) from error


class Named:
    """From a system's names to the operation's. What the file does not name stays as it is, and is counted."""

    def __init__(self, agents: Mapping[str, str], queues: Mapping[str, str]) -> None:
        """``agents``, ``queues``: the system's name → the operation's id."""
        self._agents, self._queues = agents, queues
        self.unknown_agents: Counter[str] = Counter()
        self.unknown_queues: Counter[str] = Counter()
        #: Both, by what they are names of.
        self.unknown = {"agents": self.unknown_agents, "queues": self.unknown_queues}

    def agent(self, name: str) -> str:
        """The id of an agent."""
        if (known := self._agents.get(name)) is not None:
            return known
        self.unknown_agents[name] += 1
        return name

    def queue(self, name: str) -> str:
        """The id of a queue."""
        if (known := self._queues.get(name)) is not None:
            return known
        self.unknown_queues[name] += 1
        return name

    def unmapped(self, most: int) -> dict[str, dict[str, int]]:
        """Names that the file lacks, those that were met most, for the health page."""
        return {what: dict(unknown.most_common(most)) for what, unknown in self.unknown.items()}
