"""An alert as somebody reads it who may see names: kept and sent it has ids only."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from streams.contracts.outputs import Alert, entity_id, entity_kind
from streams.kpi.labels import ENTITIES
from streams.languages import Text


def named(alert: Alert, name: Callable[[str], Text | None]) -> Alert:
    """The alert with a name in place of the id in its reasons, as the page puts it in (``names.js``). ``name``: entity → its name in a
    text, None: the id stays.
    """
    kind, id = entity_kind(alert.entity), entity_id(alert.entity)
    if kind == "all" or kind not in ENTITIES or (known := name(alert.entity)) is None:
        return alert
    by_id, by_name = ENTITIES[kind].format(id), ENTITIES[kind].format(known)
    return replace(
        alert,
        reason_zh=alert.reason_zh.replace(by_id.zh, by_name.zh, 1),
        reason_en=alert.reason_en.replace(by_id.en, by_name.en, 1),
    )
