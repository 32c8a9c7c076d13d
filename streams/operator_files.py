"""What operators write, as files: the policy and the alert rules."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from streams import bounded_yaml
from streams.alerts.budgets import Budget
from streams.alerts.rules import Rule, read_budget, read_rules
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, read


def load_policy(path: Path | None) -> AnyPolicy:
    """The policy of a YAML file, defaults for what it leaves out; all defaults without a file.

    Raises ValueError with the file and every wrong entry named.
    """
    if path is None:
        return Policy()
    raw = bounded_yaml.load_named(path, "the policy")
    if raw is not None and not isinstance(raw, dict):
        raise ValueError(f"policy {path}: values by name are expected, like service_level_seconds: 20")
    try:
        return read(raw or {})
    except ValueError as error:
        raise ValueError(f"policy {path}: {error}") from error


def load_rules(path: Path | None) -> tuple[Rule, ...]:
    """The rules of a YAML file (a list under ``rules``); the five first rules without a file.

    Raises ValueError that names the file and every wrong rule and entry.
    """
    source = path or files("streams.alerts") / "first.yaml"
    raw = bounded_yaml.load_named(source, "the alert rules")
    try:
        return read_rules(raw)
    except ValueError as error:
        raise ValueError(f"alert rules {source}: {error}") from error


def load_budget(path: Path) -> Budget | None:
    """The budget of false alarms in a file of alert rules; None: it has none. Raises ValueError that names every wrong entry."""
    try:
        return read_budget(bounded_yaml.load_named(path, "the alert rules"))
    except ValueError as error:
        raise ValueError(f"alert rules {path}: {error}") from error
