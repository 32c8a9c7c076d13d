"""An alert as somebody reads it who may see names: kept and sent it has ids only."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from streams.contracts.outputs import Alert, entity_id, entity_kind
from streams.kpi.labels import ENTITIES
from streams.languages import Language
from streams.languages.text import Text


def named(alert: Alert, name: Callable[[str], Text | None]) -> Alert:
    """The alert with a name in place of the id in its reasons, as the page puts it in (``names.js``). ``name``: entity → its name in a
    text, None: the id stays.
    """
    kind, id = entity_kind(alert.entity), entity_id(alert.entity)
    if kind == "all" or kind not in ENTITIES or (known := name(alert.entity)) is None:
        return alert
    by_id, by_name = ENTITIES[kind].format(id), ENTITIES[kind].format(known)

    def with_name(reason: str, language: Language) -> str:
        return reason.replace(by_id[language], by_name[language], 1)

    return replace(
        alert,
        reason_zh=with_name(alert.reason_zh, "zh"),
        reason_en=with_name(alert.reason_en, "en"),
        # A worker may speak more languages than whoever reads.
        reasons={one: with_name(said, one) if one in by_name else said for one, said in alert.reasons.items()},
    )
