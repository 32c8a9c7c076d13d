"""The rules for Prometheus that are shipped: they are sound by its grammar, and speak of metrics and labels that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram, Info

from streams.worker import metrics
from tests.support import ROOT

FILES = sorted((ROOT / "deploy" / "prometheus").glob("*.yaml"))
RULES = [
    pytest.param(rule, id=rule.get("record") or rule.get("alert"))
    for path in FILES
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
#: What Prometheus appends to the name of a metric of a kind.
SUFFIXES: dict[type, tuple[str, ...]] = {
    Counter: ("_total",), Gauge: ("",), Histogram: ("_bucket", "_sum", "_count"), Info: ("_info",),
}  # fmt: skip
#: Labels that Prometheus itself gives to what it scrapes.
SCRAPED = {"job", "instance"}


def exported() -> dict[str, set[str]]:
    """Name → labels of everything that a worker exports."""
    return {
        f"{metric._name}{suffix}": {*metric._labelnames, *SCRAPED}
        for metric in vars(metrics).values()
        for kind, suffixes in SUFFIXES.items()
        if isinstance(metric, kind)
        for suffix in suffixes
    }


def recorded() -> dict[str, set[str]]:
    """Name → labels of what the rules record: the level before the first colon names them."""
    names = [rule.values[0]["record"] for rule in RULES if "record" in rule.values[0]]
    return {name: set(re.findall(r"[a-z]+", name.split(":")[0])) for name in names}


def selectors(node: Any) -> Iterator[Any]:
    """Every series that an expression reads."""
    if isinstance(node, promql.VectorSelector):
        yield node
    for name in ("expr", "param", "lhs", "rhs", "vector_selector"):
        if (child := getattr(node, name, None)) is not None:
            yield from selectors(child)
    for child in getattr(node, "args", ()):
        yield from selectors(child)


def check(expression: str) -> None:
    """Raises ValueError for what Prometheus would refuse, AssertionError for names that there are not."""
    tree = promql.parse(expression)
    known = exported() | recorded()
    read = list(selectors(tree))
    assert read, "it reads nothing"
    for selector in read:
        assert selector.name in known, selector.name
        assert {matcher.name for matcher in selector.matchers.matchers} <= known[selector.name]
    together = {label for selector in read for label in known[selector.name]}
    grouped = re.findall(r"\b(?:by|on|ignoring|without|group_left|group_right)\s*\(([^)]*)\)", expression)
    assert {label.strip() for labels in grouped for label in labels.split(",") if label.strip()} <= together


def test_there_are_rules_for_dead_letters() -> None:
    alerts = {rule.values[0]["alert"] for rule in RULES if "alert" in rule.values[0]}
    assert {"DeskpulseMessagesRefused", "DeskpulseSourceRefused", "DeskpulseInternalRecordRefused"} <= alerts


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_sound(rule: dict[str, Any]) -> None:
    check(rule["expr"])
    if "record" in rule:
        assert set(rule) == {"record", "expr"}
        assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", rule["record"])
        return
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[A-Z]\w+", rule["alert"])
    promql.parse_duration(rule.get("for", "1s"))
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "summary_zh", "description"}
    (read,) = selectors(promql.parse(rule["expr"]))
    labels = (exported() | recorded())[read.name]
    for text in rule["annotations"].values():
        assert text.count("{{") == text.count("}}")
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= labels


@pytest.mark.parametrize(
    "expression",
    [
        "sum by (reason (rate(deskpulse_dead_letters_total[5m]))",  # a bracket too few
        "sum(rate(deskpulse_dead_letters[5m]))",  # not as it is exported
        'deskpulse_events_in_total{reason="x"} > 1',  # a label that it has not
        "sum by (team) (deskpulse_events_in_total) > 1",
        "rate(deskpulse_events_in_total) > 1",  # a rate of no range
        "deskpulse_lag > 5 %",
        "1 > 0",
    ],
)
def test_what_is_not_sound_is_found(expression: str) -> None:
    with pytest.raises((ValueError, AssertionError)):
        check(expression)
