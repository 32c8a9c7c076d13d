"""Subjects: groups of contacts that have KPIs of their own, by what sources say of a contact: its topic, kind or queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field

from streams.kpi.policy.names import Names, Word

SubjectName = Literal["basic", "technical", "dispute", "return", "difficult", "urgent"]
SUBJECTS: tuple[SubjectName, ...] = get_args(SubjectName)
#: What is looked at of a contact: its kind, its topic and its queue, as the policy names them.
Said: TypeAlias = tuple[str | None, str | None, str | None]
#: So many combinations are remembered with what they mean; what comes beyond is looked at each time.
_REMEMBERED = 4096
_Words = Annotated[tuple[Word, ...], Field(max_length=200)]


class Subject(BaseModel):
    """The contacts of a subject: those of one of these topics or kinds, or in one of these queues."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topics: _Words = ()
    kinds: _Words = ()
    queues: _Words = ()


#: What is of which subject unless the policy says otherwise.
USUAL: Mapping[SubjectName, Subject] = {
    "basic": Subject(kinds=("inquiry",)),
    "technical": Subject(topics=("technical",), kinds=("fault", "technical")),
    "dispute": Subject(kinds=("refund_dispute", "dispute")),
    "return": Subject(kinds=("return",)),
    "difficult": Subject(kinds=("difficult",)),
    "urgent": Subject(),
}


class Subjects(dict[Said, tuple[SubjectName, ...]]):
    """Kind, topic and queue of a contact → the subjects that it is of, in the order of ``SUBJECTS``. It fills itself as it is asked."""

    def __init__(self, own: Mapping[SubjectName, Subject], kinds: Names, topics: Names) -> None:
        """``kinds`` and ``topics``: what the words that subjects are described by mean."""
        super().__init__()
        self._kinds = {name: {kinds[word] for word in subject.kinds} for name, subject in own.items()}
        self._topics = {name: {topics[word] for word in subject.topics} for name, subject in own.items()}
        self._queues = {name: set(subject.queues) for name, subject in own.items()}
        #: Is there a subject to which the queue alone leads?
        self.by_queue = any(self._queues.values())

    def __missing__(self, said: Said) -> tuple[SubjectName, ...]:
        kind, topic, queue = said
        found = tuple(
            name
            for name in SUBJECTS
            if kind in self._kinds[name] or topic in self._topics[name] or queue in self._queues[name]
        )
        if len(self) < _REMEMBERED:
            self[said] = found
        return found
