"""What was measured, for people: tables in Markdown, a chart, and both in ``tests/bench/README.md``."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
CHART = "chart.svg"
_BEGIN, _END = "<!-- results: made by make bench PUBLISH=1 -->", "<!-- end of results -->"

_JOBS = {
    "read": "read: fetch only",
    "decode": "decode: fetch and decode",
    "sums": "sums: the simple job",
    "whole": "whole: the whole main job",
}
_THROUGHPUT = {
    "label": "contender",
    "version": "version",
    "job": "job",
    "events_per_second": "events/s",
    "cpu_microseconds_per_event": "CPU µs an event",
    "times_aiokafka": "× raw aiokafka",
    "times_decode": "× decode only",
    "times_faust": "× stock Faust",
    "times_quix": "× Quix",
    "steady_events_per_second": "events/s steady, committed",
    "max_rss_mb": "memory MB",
    "events": "events a run",
    "rounds": "rounds",
}
_PARTS = {
    "kernel": "Kernel alone, in one process, without Kafka",
    "latency": "Latency from the event to Redis, at shares of the highest rate",
    "growth": "Cost as agents grow",
    "recovery": "Recovery of a killed worker",
    "memory": "Memory",
    "records": "Contact records, on and off",
}


def text(results: Mapping[str, Any]) -> str:
    """All tables, as Markdown."""
    machine = results["machine"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB; {machine['system']}, Python {machine['python']}, "
        f"Apache Kafka {machine['kafka']}; load before the run {machine['load_before']}; "
        f"{'quick' if results['quick'] else 'full'} run of {results['seconds']} s.",
        "",
    ]
    if rows := results.get("throughput"):
        rounds = sorted({row["rounds"] for row in rows})
        over = "one round" if rounds == [1] else f"medians of {'–'.join(map(str, rounds))} interleaved rounds"
        lines += [f"### Throughput ({over}, one core for each)", ""]
        lines += [*table(rows, _THROUGHPUT), ""]
        for failure in results.get("failed", ()):
            lines += [f"{failure['contender']} ({failure['job']}) failed: {failure['reason'].splitlines()[-1]}", ""]
        lines += [
            "Every run of `sums` and `whole` came to the sums that the plain functions come to on the same events.",
            "",
        ]
    for part, heading in _PARTS.items():
        if rows := results.get(part):
            lines += [f"### {heading}", "", *table(rows, _columns(rows)), ""]
    for part, reason in results.get("broken", {}).items():
        lines += [f"**{part} failed:** {reason.splitlines()[0]}", ""]
    return "\n".join(lines)


def _columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Every key of any row, in the order in which they first come, as headings."""
    return {key: key.replace("_", " ") for row in rows for key in row}


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> list[str]:
    """Lines of a Markdown table; figures stand right, what is not there is a dash."""
    numeric = [all(not isinstance(row.get(key), str) for row in rows) for key in columns]
    return [
        f"| {' | '.join(columns.values())} |",
        f"|{'|'.join('---:' if figures else '---' for figures in numeric)}|",
        *(f"| {' | '.join(shown(key, row.get(key)) for key in columns)} |" for row in rows),
    ]


def shown(key: str, value: object) -> str:
    """A value as tables have it; three figures that mean something are enough."""
    if value is None:
        return "–"
    if key == "share" and isinstance(value, float):
        return f"{value:.0%}"
    if isinstance(value, float) and abs(value) < 100:
        return f"{value:.3g}"
    if isinstance(value, int | float):
        return f"{value:,.0f}"
    return str(value)


def chart(results: Mapping[str, Any], directory: Path) -> Path | None:
    """Draw what was measured as ``directory/chart.svg``; None where nothing of it can be drawn."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams |= {"svg.hashsalt": "deskpulse", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    from matplotlib import pyplot as plt

    draw = {"throughput": _draw_throughput, "latency": _draw_latency, "growth": _draw_growth}
    parts = [part for part in draw if results.get(part)]
    if not parts:
        return None
    heights = [0.42 * len(results[part]) + 1.2 if part == "throughput" else 2.8 for part in parts]
    figure, axes = plt.subplots(
        len(parts), 1, figsize=(9, sum(heights)), height_ratios=heights, squeeze=False, layout="constrained"
    )
    for part, axis in zip(parts, axes[:, 0], strict=True):
        draw[part](axis, results[part])
    directory.mkdir(parents=True, exist_ok=True)
    figure.savefig(directory / CHART, metadata={"Date": None})
    plt.close(figure)
    return directory / CHART


_COLOURS = {"read": "#b8c4ce", "decode": "#8fa1b0", "sums": "#e0a458", "whole": "#2f6f8f"}


def _draw_throughput(axis: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    order = [row for job in _JOBS for row in rows if row["job"] == job]
    labels = [f"{row['label']} · {row['job']}" for row in order]
    rates = [row["events_per_second"] for row in order]
    bars = axis.barh(range(len(order)), rates, color=[_COLOURS[row["job"]] for row in order])
    axis.bar_label(
        bars, [f" {row['events_per_second']:,}  ({row['cpu_microseconds_per_event']:.3g} µs CPU)" for row in order], fontsize=8
    )  # fmt: skip
    axis.set_yticks(range(len(order)), labels)
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlim(min(rates) / 2, max(rates) * 12)
    axis.set_title("Events/s on one core (log scale)", loc="left")


def _draw_latency(axis: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    positions = range(len(rows))
    for key, name, colour in (("p50_ms", "p50", "#2f6f8f"), ("p99_ms", "p99", "#e0a458")):
        values = [row.get(key) for row in rows]
        axis.plot(
            positions, [float("nan") if value is None else value for value in values], "o-", color=colour, label=name
        )
    axis.set_xticks(positions, [f"{row['share']:.0%}\n{row['rate']:,}/s" for row in rows])
    axis.set_ylim(bottom=0)
    axis.set_ylabel("ms")
    axis.set_title("Latency from the event to Redis, by share of the highest rate", loc="left")
    axis.legend(frameon=False)


def _draw_growth(axis: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    axis.plot([row["agents"] for row in rows], [row["cpu_us_per_event"] for row in rows], "o-", color="#2f6f8f")
    axis.set_xscale("log")
    axis.set_ylim(bottom=0)
    axis.set_xlabel("agents")
    axis.set_ylabel("CPU µs an event")
    axis.set_title("Cost of an event as agents grow", loc="left")


def publish(results: Mapping[str, Any], directory: Path) -> None:
    """Put results, chart and tables beside this module, the tables between the marks in README.md. Raises ValueError without marks."""
    readme = _HERE / "README.md"
    said = readme.read_text(encoding="utf-8")
    if said.count(_BEGIN) != 1 or said.count(_END) != 1:
        raise ValueError(f"{readme} needs the lines {_BEGIN!r} and {_END!r}, once each")
    before, rest = said.split(_BEGIN)
    _, after = rest.split(_END)
    picture = f"![Throughput, latency and growth]({CHART})\n\n" if (directory / CHART).is_file() else ""
    for name in ("results.json", CHART):
        if (directory / name).is_file():
            shutil.copyfile(directory / name, _HERE / name)
    readme.write_text(f"{before}{_BEGIN}\n\n{picture}{text(results)}\n{_END}{after}", encoding="utf-8")
