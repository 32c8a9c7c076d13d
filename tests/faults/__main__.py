"""``python -m tests.faults``: a long run under faults; exit code 1 where anything was lost or counted twice."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from tests.faults.harness import disturbed, shuffled, true_desk, with_refused
from tests.faults.plan import plan


def main(
    events: Annotated[int, typer.Option(help="Events, before those that come twice")] = 2_000_000,
    seed: Annotated[int, typer.Option(help="Of the plan and of the desk")] = 1,
    kills: int = 50,
    rebalances: int = 20,
    brokers: int = 5,
    redises: int = 5,
    freezes: int = 3,
    aways: Annotated[int, typer.Option(help="How often Kafka is not there for long")] = 1,
    away_seconds: Annotated[float, typer.Option(help="For how long")] = 150.0,
    recreations: Annotated[int, typer.Option(help="How often a topic is deleted and made anew")] = 2,
    histories: Annotated[
        int,
        typer.Option(
            help="How often a history is killed: one writes into SQLite, one into PostgreSQL, and both must come to the undisturbed one"
        ),
    ] = 0,
    databases: Annotated[int, typer.Option(help="How often the histories' PostgreSQL is killed and started again")] = 0,
    agents: Annotated[int, typer.Option(help="Of the desk: 60 have some 25,000 events a day")] = 60,
    rate: Annotated[float, typer.Option(help="Events sent a second")] = 4000.0,
    partitions: int = 4,
    mean_seconds: Annotated[float, typer.Option(help="Between faults")] = 4.0,
) -> None:
    """Run workers under a reproducible plan of faults and compare what they made with an undisturbed run."""
    typer.echo(f"making {events:,} events")
    desk = true_desk(events, seed, agents)
    told = disturbed(
        Path(mkdtemp(prefix="faults-")),
        desk,
        with_refused(shuffled(desk, seed), seed),
        plan(
            seed, kills=kills, rebalances=rebalances, brokers=brokers, redises=redises, freezes=freezes,
            aways=aways, recreations=recreations, histories=histories, databases=databases,
            mean_seconds=mean_seconds,
        ),
        partitions=partitions,
        rate=rate,
        away_seconds=away_seconds,
        histories=bool(histories or databases),
        say=typer.echo,
    )  # fmt: skip
    typer.echo(f"{told.events:,} events, {dict(told.faults)}, {told.seconds:.0f} s")
    for line in told.wrong:
        typer.echo(f"WRONG {line}")
    typer.echo("nothing lost, nothing twice" if not told.wrong else f"{len(told.wrong)} differences")
    raise typer.Exit(1 if told.wrong else 0)


if __name__ == "__main__":
    typer.run(main)
