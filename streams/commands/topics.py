"""``deskpulse topics``: what the operation's topics are, and making them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streams.backup.restoring import refuse_members
from streams.commands.shared.context import Broker, Partitions, Prefix, clear_errors, deployment
from streams.contracts.topics import TOPICS
from streams.kafka.reading import answering
from streams.kafka.topics import delete_topics, end_restore, ensure_topics
from streams.languages.translation import said, tell

topics = typer.Typer(no_args_is_help=True, help="The operation's topics.")


@topics.command("create")
def create_topics(
    ctx: typer.Context, broker: Broker = None, prefix: Prefix = None, partitions: Partitions = None
) -> None:
    """Create every missing topic."""
    settings = deployment(ctx, broker=broker, prefix=prefix, partitions=partitions).settings
    with clear_errors():
        created = ensure_topics(settings)
    tell(f"created: {', '.join(created)}" if created else "nothing to create: every topic is there")


@topics.command("delete")
def delete_all(
    ctx: typer.Context,
    broker: Broker = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask: everything that the operation has in Kafka is gone for good")
    ] = False,
) -> None:
    """Delete every topic of the operation, with all that is in them: events, state, facts, scores.

    Before a restore into the same cluster, or when an operation is over. Only
    topics of this prefix that Deskpulse knows by name are touched. Refused while
    workers run. `deskpulse backup` keeps what is in them.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, partitions=partitions).settings
    with clear_errors(), answering(settings):
        refuse_members(settings)
        if not yes:
            typer.confirm(
                said(f"delete all topics of {settings.prefix or 'the operation without prefix'} at {settings.broker}?"),
                abort=True,
            )
        delete_topics(settings)
        end_restore(settings)
    tell("deleted: the operation has no topics any more")


@topics.command("list")
def list_topics() -> None:
    """What each topic carries, under which key, for how long."""
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("topic", "key", "carries", "kept"):
        table.add_column(heading)
    for topic in TOPICS:
        days = topic.config.get("retention.ms")
        kept = topic.config["cleanup.policy"] + (f", {int(days) // 86_400_000} days" if days else "")
        table.add_row(topic.name, topic.key, topic.carries, kept)
    Console().print(table)
