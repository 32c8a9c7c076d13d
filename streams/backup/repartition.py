"""More partitions: the operation is backed up, its topics are made anew with more of them, and filled from the backup.

Each step can be done again: whoever is killed at it begins the command once more. Until the backup is whole, nothing is deleted; from the
moment on at which topics are deleted, ``restore-unfinished`` says that the operation is none.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.archive.store import Store
from streams.backup import databases
from streams.backup.manifest import NAME, Manifest
from streams.backup.restoring import Restoring, read, refuse_members, refuse_moved
from streams.backup.rewriting import Rewriter
from streams.backup.taking import Taking
from streams.backup.verifying import refuse_damaged
from streams.kafka import reading
from streams.kafka.topics import begin_restore, delete_topics, end_restore, mark_restore, partitions_of, restore_begun
from streams.settings import Settings


def repartition(
    settings: Settings, to: int, store: Store, note: Callable[[str], None], now: Callable[[], int]
) -> Manifest:
    """Have the operation in ``to`` partitions; ``settings`` say those it has. Returns the backup that it was filled from.

    Raises ValueError where it cannot be, or processes run; ConnectionError, OSError, RuntimeError, StoreError.
    """
    target = settings.model_copy(update={"partitions": to})
    with reading.answering(settings):
        refuse_members(settings)
        begun = restore_begun(settings)
    has = partitions_of(settings)
    if not begun:
        if has == to:
            raise ValueError(f"this operation has {to} partitions already")
        if has is not None:
            Rewriter(settings.prefix, settings.prefix, has, to)  # refuses what cannot be before anything is done
    if begun or NAME in store.names(""):
        made = read(store)
        note(f"{store.place}: the backup of before is there, and is used")
        if not begun and made.partitions != has:
            raise ValueError(
                f"{store.place} is a backup of {made.partitions} partitions, and this operation has {has}: give another place for its own"
            )
    else:
        now_has = settings if has is None else settings.model_copy(update={"partitions": has})
        made = Taking(now_has, store, note, now).run(archive=None)
    if made.prefix != settings.prefix:
        raise ValueError(
            f"{store.place} is a backup of the prefix {made.prefix!r}, and this operation has {settings.prefix!r}: give its own place"
        )
    restoring = Restoring(target, store, made, note)
    refuse_damaged(store, made, note)
    if not begun:
        with reading.answering(settings):
            refuse_members(settings)
            refuse_moved(settings, made)
        _refuse_readers(settings, made)
        mark_restore(settings)
    delete_topics(settings)
    begin_restore(target)
    restoring.fill()
    databases.move_positions(target, made.prefix, made.databases, restoring.rewriter.positions)
    end_restore(target)
    return made


def _refuse_readers(settings: Settings, made: Manifest) -> None:
    """Raises ValueError where a database has read on since the backup: history or notifier run."""
    before = {position for dump in made.databases for position in dump.positions}
    if set(databases.positions_now(settings, made.databases)) != before:
        raise ValueError(
            "history or notifier have read on since the backup: stop them, and begin again with another place for the backup"
        )
