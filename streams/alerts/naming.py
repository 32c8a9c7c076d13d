"""An alert as somebody reads it who may see names: kept and sent it has ids only."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from streams.contracts.outputs import Alert, entity_id, entity_kind

#: How the reasons call whom they are about (``evaluate``), in both languages; the page's ``names.js`` puts names in the same way.
_WORDS = {
    "agent": ("坐席 {}", "agent {}"),
    "team": ("班组 {}", "team {}"),
    "queue": ("队列 {}", "queue {}"),
    "site": ("职场 {}", "site {}"),
}


def named(alert: Alert, name: Callable[[str], tuple[str, str] | None]) -> Alert:
    """The alert with a name in place of the id in its reasons. ``name``: entity → its name in Chinese and English text, None: stays."""
    id, both = entity_id(alert.entity), _WORDS.get(entity_kind(alert.entity))
    if both is None or (known := name(alert.entity)) is None:
        return alert
    zh, en = (
        text.replace(words.format(id), words.format(called), 1)
        for text, words, called in zip((alert.reason_zh, alert.reason_en), both, known, strict=True)
    )
    return replace(alert, reason_zh=zh, reason_en=en)
