"""The rules for Prometheus and the boards for Grafana that are shipped: sound by Prometheus' grammar, of metrics and labels that there are;
each alert fires when it should and not before, by promtool; and each has its runbook.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram, Info

from deploy.grafana import make
from deploy.processes import PROCESSES
from streams import doors
from streams.gateway import metrics as gateway
from streams.incidents import metrics as incidents
from streams.kpi.catalog import KPIS
from streams.notifier import metrics as notifier
from streams.wallboard import gauges
from streams.wallboard import metrics as wallboard
from streams.worker import metrics as worker
from tests.conftest import lacking
from tests.support import ROOT

FILES = sorted((ROOT / "deploy" / "prometheus").glob("*.rules.yaml"))
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
#: Labels that Prometheus itself gives to what it scrapes, and what it says of each scrape.
SCRAPED = {"job", "instance"}
OF_SCRAPES = {"up": SCRAPED, "ALERTS": {"alertname", "alertstate"}}
#: What Python's client says of every process that serves metrics.
OF_PROCESSES = dict.fromkeys(
    ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_start_time_seconds", "process_open_fds"),
    SCRAPED,
)
#: Labels by the first part of a recorded name.
LEVELS = {
    "deskpulse": set[str](),
    "job": {"job"},
    "job_status": {"job", "status"},
    "reason": {"reason"},
    "reason_source": {"reason", "source"},
    "source": {"source"},
    "topic": {"topic"},
}


def exported() -> dict[str, set[str]]:
    """Name → labels of everything that the processes export, and that Prometheus says of them."""
    return (
        OF_SCRAPES
        | OF_PROCESSES
        | {f"{gauges.PREFIX}{kpi}{suffix}": {*gauges.LABELS, *SCRAPED} for kpi in KPIS for suffix in ("", "_n")}
        | {
            f"{metric._name}{suffix}": {*metric._labelnames, *SCRAPED, *(("le",) if suffix == "_bucket" else ())}
            for module in (worker, incidents, notifier, wallboard, doors, gateway)
            for metric in vars(module).values()
            for kind, suffixes in SUFFIXES.items()
            if isinstance(metric, kind)
            for suffix in suffixes
        }
    )


def recorded() -> dict[str, set[str]]:
    """Name → labels of what the rules record: the level before the first colon names them."""
    names = [rule.values[0]["record"] for rule in RULES if "record" in rule.values[0]]
    return {name: LEVELS[name.split(":")[0]] for name in names}


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
    assert set(rule["annotations"]) == {"summary", "summary_zh", "description", "runbook"}
    (name,) = {read.name for read in selectors(promql.parse(rule["expr"]))}
    labels = (exported() | recorded())[name]
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


#: Alert → a series that is well for 20 minutes and then is not, and the labels under which the alert fires.
_WORKER = '{job="deskpulse-worker",instance="w1"'
_FIRES: dict[str, tuple[str, str, str]] = {
    **{
        f"Deskpulse{name}Gone": (f'up{{job="deskpulse-{job}",instance="a"}}', "1x20 0x40", f'job="deskpulse-{job}"')
        for name, job in (
            ("Workers", "worker"),
            ("Incidents", "incidents"),
            ("Notifier", "notifier"),
            ("Wallboard", "wallboard"),
            ("Scores", "scores"),
            ("History", "history"),
            ("Web", "web"),
            ("Gateway", "gateway"),
        )
    },
    "DeskpulseProcessDown": (
        'up{job="deskpulse-worker",instance="a"}',
        "1x20 0x40",
        'job="deskpulse-worker",instance="a"',
    ),
    "DeskpulseLag": (f'deskpulse_lag{_WORKER},topic="calls",partition="1"}}', "100x20 6000x40", ""),
    "DeskpulseWorkerStalled": (f"deskpulse_stalled{_WORKER}}}", "0x20 1x40", 'job="deskpulse-worker",instance="w1"'),
    "DeskpulseCheckpointsFail": (
        f"deskpulse_setbacks_total{_WORKER}}}",
        "0x20 0+1x40",
        'job="deskpulse-worker",instance="w1"',
    ),
    "DeskpulseCheckpointsSlow": (f'deskpulse_cycle_seconds_bucket{_WORKER},le="10"}}', "0x20 0+9x40", ""),
    "DeskpulseEventsExpired": (
        f'deskpulse_events_expired_total{_WORKER},topic="calls"}}',
        "_x50 7x10",
        'job="deskpulse-worker",instance="w1",topic="calls"',
    ),
    "DeskpulseTooLarge": (
        f'deskpulse_unwritten_total{_WORKER},topic="calls"}}',
        "_x50 1x10",
        'job="deskpulse-worker",instance="w1",topic="calls"',
    ),
    "DeskpulseEventsMisplaced": (
        f'deskpulse_events_misplaced_total{_WORKER},topic="calls"}}',
        "0x20 0+1x40",
        'job="deskpulse-worker",instance="w1",topic="calls"',
    ),
    "DeskpulseStateAstray": (
        f'deskpulse_state_astray{_WORKER},topic="s",partition="0"}}',
        "0x20 3x40",
        'job="deskpulse-worker",instance="w1",topic="s",partition="0"',
    ),
    "DeskpulseRedisRefuses": (f"deskpulse_redis_up{_WORKER}}}", "1x20 0x40", 'job="deskpulse-worker",instance="w1"'),
    "DeskpulseNobodyMakesIncidents": ("deskpulse_incidents_active", "1x20 0x40", ""),
    "DeskpulseIncidentsBehind": ("deskpulse_incidents_behind", "0x20 200x40", ""),
    "DeskpulseNotifierBehind": ("deskpulse_notifier_lag", "0x20 200x40", ""),
    "DeskpulseChannelDown": ('deskpulse_notifier_channel_up{channel="floor"}', "1x20 0x40", 'channel="floor"'),
    "DeskpulseMessagesFailed": (
        'deskpulse_notifier_messages_total{channel="floor",state="failed"}',
        "_x50 1x10",
        'channel="floor"',
    ),
    "DeskpulseGatewayWaits": (
        'deskpulse_gateway_kafka_up{job="deskpulse-gateway",instance="g"}',
        "1x20 0x40",
        'job="deskpulse-gateway",instance="g"',
    ),
    "DeskpulseGatewayRefuses": (
        'deskpulse_gateway_refused_total{source="acd",reason="unfit"}',
        "0x20 0+9x40",
        'source="acd"',
    ),
    "DeskpulseServerFaults": (
        'deskpulse_http_requests_total{job="deskpulse-wallboard",status="500"}',
        "0x20 0+9x40",
        'job="deskpulse-wallboard"',
    ),
    "DeskpulseServerSlow": (
        'deskpulse_http_request_seconds_bucket{job="deskpulse-scores",le="10"}',
        "0x20 0+9x40",
        'job="deskpulse-scores"',
    ),
    "DeskpulseWallboardEmpty": (
        'deskpulse_wallboard_outage{job="deskpulse-wallboard",instance="b"}',
        "0x20 1x40",
        'job="deskpulse-wallboard",instance="b"',
    ),
    "DeskpulseMessagesRefused": (
        f'deskpulse_events_rejected_total{_WORKER},topic="calls",reason="schema"}}',
        "0x20 0+9x40",
        'topic="calls"',
    ),
    "DeskpulseSourceRefused": (
        f'deskpulse_dead_letters_total{_WORKER},source="acd",reason="schema"}}',
        "0x20 0+60x40",
        'source="acd"',
    ),
    "DeskpulseInternalRecordRefused": (
        f'deskpulse_events_rejected_total{_WORKER},topic="contributions",reason="internal"}}',
        "_x50 1x10",
        'job="deskpulse-worker",instance="w1",topic="contributions",reason="internal"',
    ),
}
#: What there is besides: many requests and events that are well.
_ALWAYS = {
    'deskpulse_http_requests_total{job="deskpulse-wallboard",status="200"}': "0+60x60",
    'deskpulse_http_requests_total{job="deskpulse-wallboard",status="503"}': "0+60x60",
    f'deskpulse_events_in_total{_WORKER},topic="calls"}}': "0+60x60",
    f'deskpulse_source_events_total{_WORKER},source="acd"}}': "0+60x60",
    'deskpulse_http_request_seconds_bucket{job="deskpulse-scores",le="3"}': "0+0x60",
    'deskpulse_http_request_seconds_bucket{job="deskpulse-scores",le="+Inf"}': "0x20 0+9x40",
    f'deskpulse_cycle_seconds_bucket{_WORKER},le="3"}}': "0+0x60",
    f'deskpulse_cycle_seconds_bucket{_WORKER},le="+Inf"}}': "0x20 0+9x40",
    'deskpulse_notifier_messages_total{channel="floor",state="told"}': "0+1x60",
    'deskpulse_gateway_events_total{source="acd"}': "0+60x60",
    'deskpulse_gateway_refused_total{source="acd",reason="no_credentials"}': "0+60x60",
}


def alerts() -> dict[str, dict[str, Any]]:
    return {rule.values[0]["alert"]: rule.values[0] for rule in RULES if "alert" in rule.values[0]}


def _group(series: list[dict[str, str]], checks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"interval": "1m", "input_series": series, "promql_expr_test": checks}


def _checks(names: Iterable[str]) -> list[dict[str, Any]]:
    """Each alert is silent at first, and then fires under its labels."""
    checks: list[dict[str, Any]] = []
    for name in names:
        firing = f'ALERTS{{alertname="{name}",alertstate="firing"}}'
        labels = ",".join(filter(None, (f'severity="{alerts()[name]["labels"]["severity"]}"', _FIRES[name][2])))
        checks.append({"expr": firing, "eval_time": "20m", "exp_samples": []})
        checks.append(
            {"expr": firing, "eval_time": "58m", "exp_samples": [{"labels": f"{firing[:-1]},{labels}}}", "value": 1}]}
        )
    return checks


def test_each_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    assert set(_FIRES) == set(alerts())
    always = [{"series": one, "values": of} for one, of in _ALWAYS.items()]
    # A process that is down is one of those that are gone: by itself.
    groups = [set(_FIRES) - {"DeskpulseProcessDown"}, {"DeskpulseProcessDown"}]
    tests = [
        _group([{"series": _FIRES[name][0], "values": _FIRES[name][1]} for name in group] + always, _checks(group))
        for group in groups
    ]
    well = [{"series": f'up{{job="deskpulse-{one.name}",instance="a"}}', "values": "1x60"} for one in PROCESSES]
    quiet = {"expr": 'ALERTS{alertstate="firing"}', "eval_time": "58m", "exp_samples": []}
    tests.append(_group([*well, *(one for one in always if "bucket" not in one["series"])], [quiet]))
    path = tmp_path / "rules.test.yaml"
    path.write_text(yaml.safe_dump({"rule_files": list(map(str, FILES)), "evaluation_interval": "1m", "tests": tests}))
    if (promtool := shutil.which("promtool")) is None:
        lacking("promtool is not installed: apt-get install prometheus, or the archive of prometheus.io")
    ran = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_process_has_an_alert_and_is_scraped_where_it_answers() -> None:
    jobs = {
        job["job_name"]: (names["names"], names["port"])
        for job in yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
        for names in job["dns_sd_configs"]
        if "metrics_path" not in job  # the same process once more, by another page
    }
    assert jobs == {f"deskpulse-{one.name}": ([one.name], one.port) for one in PROCESSES}
    gone = {rule["expr"] for name, rule in alerts().items() if name.endswith("Gone")}
    assert gone == {f'absent(up{{job="deskpulse-{one.name}"}} == 1)' for one in PROCESSES}


@pytest.mark.parametrize("alert", sorted(alerts()))
def test_each_alert_has_a_runbook(alert: str) -> None:
    page, _, heading = alerts()[alert]["annotations"]["runbook"].partition("#")
    sections = re.split(r"^### ", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    told = {section.split("\n", 1)[0]: section for section in sections}
    assert heading == alert.lower()
    for part in ("**Means.**", "**Look.**", "**Do.**"):
        assert part in told[alert]


def test_no_runbook_is_left_of_an_alert_that_is_gone() -> None:
    text = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### (\w+)$", text, re.MULTILINE)) == set(alerts())


@pytest.mark.parametrize("board", make.ALL, ids=lambda one: one.id)
def test_a_board_is_sound(board: make.Board) -> None:
    written = (make.BOARDS / f"{board.id}.json").read_text(encoding="utf-8")
    assert written == make.text(board), "run python -m deploy.grafana.make"
    for panel in json.loads(written)["panels"]:
        for target in panel["targets"]:
            check(target["expr"])
            known = {
                label
                for read in selectors(promql.parse(target["expr"]))
                for label in (exported() | recorded())[read.name]
            }
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= known


def test_every_board_is_written_and_no_other() -> None:
    assert {path.stem for path in make.BOARDS.glob("*.json")} == {board.id for board in make.ALL}
