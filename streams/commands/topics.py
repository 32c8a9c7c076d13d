"""``deskpulse topics``: what the operation's topics are, and making them."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from streams.commands.shared.context import Broker, Partitions, Prefix, clear_errors, deployment
from streams.contracts.topics import TOPICS
from streams.kafka.topics import ensure_topics
from streams.languages.translation import tell

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
