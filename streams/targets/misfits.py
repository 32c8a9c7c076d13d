"""What targets are held against before they are taken in: whoever goes by them may object (entry point ``deskpulse.target_checks``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from typing import Protocol

from streams.contracts.outputs import Target
from streams.targets.book import Targets


class Check(Protocol):
    """What the entry point names."""

    def __call__(self, book: Targets) -> Iterable[str]:
        """A line for each thing that does not fit."""


def require_fit(book: Targets, versions: Mapping[str, list[Target]]) -> None:
    """Raises ValueError with a line for each thing that these changes would make unfit; what was so before is no matter of theirs."""
    after = book.with_(versions)
    for point in entry_points(group="deskpulse.target_checks"):
        check: Check = point.load()
        if wrong := list(check(after)):
            before = set(check(book))
            if new := [line for line in wrong if line not in before]:
                raise ValueError("\n".join(new))
