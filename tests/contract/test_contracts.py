"""What others rely on: golden messages, generated schemas, ids in rules and policies, reasons, metric names."""

from __future__ import annotations

import inspect
import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from streams.contacts.fold import HANDLERS
from streams.contracts import decode as decoding
from streams.contracts.decode import REASONS, Rejected, decode_any, encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import (
    Alert,
    AlertAction,
    Baseline,
    ContactRecord,
    Contributions,
    DailyFacts,
    Incident,
    PresenceRecord,
    RosterEntry,
    Score,
    Snapshot,
    Totals,
)
from streams.contracts.schema import documents
from streams.contracts.topics import TOPICS
from streams.kpi.catalog import KPIS
from streams.kpi.measures import MEASURES
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Kpi, Side
from streams.operator_files import load_rules
from tests.support import ROOT

GOLDEN = Path(__file__).with_name("golden")
EVENTS = {str(type_.__struct_config__.tag): type_ for type_ in get_args(AnyEvent)}
_OUTPUTS = {
    "contributions": Contributions, "daily-facts": DailyFacts, "contact-record": ContactRecord, "presence-record": PresenceRecord,
    "alert": Alert, "roster": list[RosterEntry], "score": Score, "snapshot": Snapshot, "totals": Totals, "alert-action": AlertAction,
    "incident": Incident, "baseline": Baseline, "contributions-second": Contributions,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_golden_message_of_every_type_is_read_and_written_the_same(name: str) -> None:
    raw = (GOLDEN / f"{name}.json").read_bytes().strip()
    event = decode_any(raw)
    assert isinstance(event, EVENTS[name]), event
    assert json.loads(encode(event)) == json.loads(raw)


@pytest.mark.parametrize("name", sorted(_OUTPUTS))
def test_a_golden_output_is_read_and_written_the_same(name: str) -> None:
    raw = (GOLDEN / f"{name}.json").read_bytes()
    assert json.loads(msgspec.json.encode(msgspec.json.decode(raw, type=_OUTPUTS[name]))) == json.loads(raw)


def test_unknown_fields_are_ignored() -> None:
    raw = json.loads((GOLDEN / "call.answered.json").read_bytes()) | {"vendor_field": {"deep": [1]}}
    assert not isinstance(decode_any(json.dumps(raw).encode()), Rejected)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_field_of_a_golden_message_is_typed_and_each_required_one_is_missed(name: str) -> None:
    whole = json.loads((GOLDEN / f"{name}.json").read_bytes())
    required = {field.encode_name for field in msgspec.structs.fields(EVENTS[name]) if field.required} | {"type"}
    for field in whole:
        refused = decode_any(json.dumps({**whole, field: {"not": "this"}}).encode())
        assert isinstance(refused, Rejected), field
        assert refused.reason in ("wrong_type", "bad_time", "unknown_type", "out_of_range"), (field, refused)
        less = {key: value for key, value in whole.items() if key != field}
        refused = decode_any(json.dumps(less).encode())
        assert isinstance(refused, Rejected) == (field in required), field


def test_generated_schemas_are_fresh() -> None:
    wanted = documents(version("deskpulse"))
    found = {
        path.name: path.read_text(encoding="utf-8") for path in (ROOT / "streams" / "contracts" / "generated").iterdir()
    }
    assert found == wanted, "run `make generated`"


def test_every_topic_has_a_key_a_purpose_and_a_retention() -> None:
    for topic in TOPICS:
        assert topic.key
        assert topic.carries
        assert "cleanup.policy" in topic.config
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)


@pytest.mark.parametrize("kpi", KPIS.values(), ids=KPIS.keys())
def test_every_kpi_is_made_of_known_measures_policies_and_events(kpi: Kpi) -> None:
    sides: tuple[Side, ...] = ("desk", "staff")
    for side in sides:
        top, bottom = kpi.formula(Policy(), side)
        squares = kpi.formula.squares(Policy(), side) if kpi.formula.squares is not None else {}
        base, of = kpi.formula.baseline(Policy(), side) if kpi.formula.baseline is not None else ({}, {})
        assert set(top) | set(bottom or ()) | set(squares) | set(base) | set(of) <= set(MEASURES)
        assert kpi.bound(Policy(), side).measures <= set(MEASURES)
        assert (kpi.kind == "change") == bool(of)
        assert {MEASURES[m].unit for m in top} == {MEASURES[m].unit for m in base} or not of
        assert len({MEASURES[m].unit for m in top}) == (0 if kpi.live else 1)
        assert (kpi.kind == "percentile") == any(MEASURES[m].family for m in top)
    assert kpi.traps
    assert kpi.traps_zh
    assert kpi.matures is None or kpi.matures in kpi.policy_fields
    assert set(kpi.policy_fields) <= set(Policy.model_fields)
    for need in kpi.needs:
        pattern = re.compile(need.replace(".", r"\.").replace("*", r"\w+"))
        assert need.startswith("kind = ") or any(pattern.fullmatch(name) for name in EVENTS), need


def test_the_first_rules_watch_what_exists() -> None:
    rules = load_rules(None)
    assert [rule.kpi for rule in rules] == [
        "csat", "service_level_20s", "first_response_30s_rate", "repeat_complaint_rate", "longest_wait",
    ]  # fmt: skip
    assert (rules[0].usual, rules[0].bad, rules[0].threshold) == (0.85, 0.75, 0.80)
    assert not any("agent" in rule.scope for rule in rules), (
        "single people get too few ratings to be judged within a day"
    )
    assert all(rule.min_n > 3 for rule in rules if rule.window != "now")


def test_every_reason_that_is_given_is_documented() -> None:
    from streams.contacts import stage
    from streams.sources.mapped import messages
    from streams.windows import admission
    from streams.worker import customer_ids, intake

    told_by = (decoding, admission, stage, intake, customer_ids, messages)
    sources = "".join(inspect.getsource(module) for module in told_by)
    given = set(re.findall(r'Rejected\(\s*"(\w+)"', sources))
    given |= {reason for _, reason in decoding._SAYS}
    given |= set(re.findall(r'"(\w+)"', inspect.getsource(decoding._reason)))
    assert given == set(REASONS)


def test_every_event_that_can_change_a_contact_has_a_handler_or_is_known_to_have_none() -> None:
    without = {name for name, type_ in EVENTS.items() if type_ not in HANDLERS and type_.carrier != "agents"}
    assert {name.split(".")[1] for name in without} == {"corrected", "retracted"}


def test_what_scoring_asks_of_an_operation_the_command_line_gives() -> None:
    """Commands of other packages get it as ``ctx.obj``, which no type checker sees through."""
    from scoring.workflow.gather import Operation
    from streams.commands.shared.context import Deployment

    asked = {name for base in Operation.__mro__ for name in vars(base) if not name.startswith("_")}
    assert asked >= {"published_scores", "daily_facts", "policy"}
    assert {name for name in asked if not hasattr(Deployment, name)} == set()
