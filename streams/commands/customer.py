"""``deskpulse customer``: take a person who has called or written out of the operation."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from streams import erasure
from streams.commands.shared.archive import place_of
from streams.commands.shared.context import Broker, Deployment, Prefix, RedisUrl, clear_errors, deployment
from streams.contracts import topics
from streams.history.store import open_history
from streams.languages.translation import said, tell
from streams.people.store import people_database
from streams.settings import Settings

customer = typer.Typer(no_args_is_help=True, help="The people who call and write.")

#: Seconds that screens may take to show that an id is gone.
_SCREENS_SECONDS = 10.0
#: The history's file where it is SQLite, with its journal.
_HISTORY = "history.db"


@customer.callback()
def commands() -> None:
    """The people who call and write."""


@customer.command()
def forget(
    ctx: typer.Context,
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID…",
            help="Customer ids as their source has them, or their pseudonyms. With DESKPULSE_PSEUDONYM_KEY, the pseudonym of what is "
            "typed is forgotten as well",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking")] = False,
    wait: Annotated[
        float, typer.Option("--wait", min=1, metavar="SECONDS", help="For how long the workers may take for each step")
    ] = 120,
    broker: Broker = None,
    redis: RedisUrl = None,
    prefix: Prefix = None,
) -> None:
    """Take customers out of state, records, dead letters, archived files and what workers tell each other; the figures stay.

    The workers must run: they move what they keep of a customer to a one-off
    id drawn by lot, without any free text, so that sums, repeats that are
    counted and those still to mature stay right. What still comes of contacts
    that they know is recognised by the contact, and is nameless too. Whoever
    calls again is a new customer.

    What Kafka deletes by age only (events, and the bytes of what was taken
    out) has a last day, which is said. Files of the data directory and rows of
    the database that name the customer are looked for and named; nothing in
    them is changed. Give every id that your systems have for the person: a
    telephone number in each spelling that stands in a source.

    It cannot be undone. Broken off, it may be run again. Exit code 1 where
    something is left to do.
    """
    here = deployment(ctx, broker=broker, redis=redis, prefix=prefix)
    settings = here.settings
    with clear_errors():
        written = {each: erasure.spellings(settings, each) for each in ids}
        every = list(dict.fromkeys(id for spelt in written.values() for id in spelt))
        mentions = erasure.Mentions(every)
        before = erasure.kept(settings, every)
        _say_kept(written, before)
        if not yes:
            typer.confirm(said("forget them? This cannot be undone"), abort=True)
        shown = erasure.shown(settings, every)
        erasure.forget(settings, every, wait)
        tell(f"state: forgotten, {sum(before.values()):,} contacts go on under one-off ids")
        again = erasure.kept(settings, every)
        for id in again:
            tell(f"state: {id} has called or written since: a new customer, to be forgotten by another run")
        left = bool(again)
        left |= _archive(here, mentions)  # before the records: nobody can make them anew with a name from it then
        records = erasure.clean_records(settings, every)
        tell(f"{settings.topic(topics.CONTACT_RECORDS)}: {records:,} records of older contacts name nobody now")
        letters = erasure.clean_dead_letters(settings, mentions)
        tell(f"{settings.topic(topics.DEAD_LETTERS)}: {letters:,} letters that named them taken out")
        erasure.trim(settings)
        tell(f"{settings.topic(topics.REKEYED)}: what the workers have taken in of it is deleted")
        left |= _history(settings, every)
        left |= _redis(settings, shown)
        left |= _places(here, mentions)
        left |= _last_days(here)
    if left:
        raise typer.Exit(1)


def _say_kept(written: dict[str, list[str]], kept: dict[str, int]) -> None:
    for each, spelt in written.items():
        found = [id for id in spelt if id in kept]
        for id in found:
            tell(f"{id}: {kept[id]:,} contacts")
        if not found:
            tell(f"{each}: the workers keep nothing of them (is it spelt as the source has it?)")


def _archive(here: Deployment, mentions: erasure.Mentions) -> bool:
    """Take them out of archived files. Returns whether something is left to do."""
    place = place_of(here.settings)
    found = erasure.clean_archive(here.settings, place, mentions, here.now().date())
    if found is None:
        return False
    tell(f"archive {place}: {found.files:,} files written anew, {found.messages:,} messages name nobody now")
    for name in found.left:
        tell(
            f"archive: {name} names them still, in the id of a contact or an event; delete it, or keep it by a reason of its own"
        )
    coming = erasure.not_archived(here.settings, found.reached, mentions)
    if coming:
        tell(f"archive: {coming:,} messages that name them are still to be archived; run this again when they are")
    return bool(found.left or coming)


def _history(settings: Settings, ids: list[str]) -> bool:
    """Wait until the history has read that they are forgotten. Returns whether something is left to do."""
    with open_history(settings.history or settings.database, settings.data_dir, settings.policy) as history:
        left = erasure.left_in_history(history, ids, _SCREENS_SECONDS)
    if left is None:
        return False
    if left:
        tell(
            f"history: {left:,} contacts are still said to be theirs; they are not once `deskpulse history` has read so: is it running?"
        )
    else:
        tell("history: no contact is said to be theirs")
    return bool(left)


def _redis(settings: Settings, shown: list[str]) -> bool:
    """Wait until screens have let go of an id that many callers shared. Returns whether something is left to do."""
    if not shown:
        return False
    deadline = time.monotonic() + _SCREENS_SECONDS
    while (left := erasure.shown(settings, shown)) and time.monotonic() < deadline:
        time.sleep(0.2)
    if left:
        tell("Redis: the workers have not taken the id out yet; run this again in a minute")
        return True
    if (why := erasure.write_dump(settings)) is not None:
        tell(f"Redis: taken out; its files are not written anew ({why}): have BGSAVE and BGREWRITEAOF run")
        return True
    tell("Redis: taken out, and its files are written anew")
    return False


def _places(here: Deployment, mentions: erasure.Mentions) -> bool:
    """Say where else they stand. Returns whether they do."""
    found = False
    for path in erasure.files(here.data_dir, mentions):
        if path.name.startswith(_HISTORY):
            continue  # it is looked at as what it is
        found = True
        if path.parent == here.data_dir / "sources" and path.suffix == ".json":
            tell(
                f"file: {path} names them, as a call of theirs may come to another queue: keep it, it forgets them within an hour of calls"
            )
        else:
            tell(f"file: {path} names them; delete it, or keep it by a reason of its own")
    with people_database(here.database, here.data_dir) as database:
        for table, column, rows in database.places(mentions, but="history_"):
            found = True
            tell(
                f"database: {rows:,} rows of {table}.{column} name them, as somebody has typed it; what was decided is never changed, "
                "so that the audit trail holds"
            )
    if not found:
        tell(f"files below {here.data_dir} and the database: nothing")
    return found


def _last_days(here: Deployment) -> bool:
    """Say until when Kafka has what it deletes by age. Returns whether that can be said of all."""
    unknown = False
    by_age = {here.settings.topic(topic) for topic in topics.CONTACT_TOPICS}
    for until in erasure.last_days(here.settings, here.now()):
        what = "events that name them" if until.topic in by_age else "bytes on the brokers' disks, which nobody reads"
        if until.at is None:
            unknown = True
            tell(f"{until.topic}: {what}: no last day, as {until.why}")
        else:
            tell(f"{until.topic}: {what}: until {until.at.astimezone(here.policy.zone):%Y-%m-%d} at the latest")
    return unknown
