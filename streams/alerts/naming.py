"""An alert as somebody reads it who may see names: kept and sent it has ids only."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from streams.contracts.outputs import Alert, entity_id, entity_kind

#: How the reasons call an agent (``evaluate``), in both languages; the page's ``names.js`` puts names in the same way.
_AGENT = ("坐席 {}", "agent {}")


def named(alert: Alert, name: Callable[[str], tuple[str, str] | None]) -> Alert:
    """The alert with the agent's name in place of the id in its reasons. ``name``: id → name in Chinese and English text, None: stays."""
    id = entity_id(alert.entity)
    if entity_kind(alert.entity) != "agent" or (known := name(id)) is None:
        return alert
    zh, en = (
        text.replace(words.format(id), words.format(called), 1)
        for text, words, called in zip((alert.reason_zh, alert.reason_en), _AGENT, known, strict=True)
    )
    return replace(alert, reason_zh=zh, reason_en=en)
