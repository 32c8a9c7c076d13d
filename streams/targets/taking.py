"""A target sheet is taken in: by command and over HTTP alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from streams.contracts.outputs import Target
from streams.targets.book import Targets
from streams.targets.misfits import require_fit
from streams.targets.sheet import Changes, merged, owned


class Operation(Protocol):
    """Where targets are kept."""

    def targets(self) -> Targets:
        """Those there are."""

    def publish_targets(self, versions: Mapping[str, list[Target]]) -> int:
        """Put these in place of what stands under their keys; how many keys were acknowledged."""


def take_targets(operation: Operation, given: Iterable[Target], id_of: Callable[[str], str]) -> Changes:
    """Add the given targets to those there are, owners by their ids (``id_of``: of a name), and tell what that changes.

    Raises ValueError with a line for each that does not fit, ConnectionError where the broker does not take all of them.
    """
    owned_by_ids, book = owned(given, id_of), operation.targets()
    done = merged(book, owned_by_ids)
    require_fit(book, done.versions)
    if (sent := operation.publish_targets(done.versions)) != len(done.versions):
        raise ConnectionError(
            f"the broker has acknowledged {sent} of {len(done.versions)} targets; take the sheet in again"
        )
    return done
