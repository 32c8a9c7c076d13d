"""Why the wallboard has nothing to show, for people and for programs."""

from __future__ import annotations

from msgspec import Struct

from streams.refusals import with_remedy


class Reason(Struct, frozen=True):
    """``reason`` is one word to test for; ``detail`` what the cause said itself."""

    reason: str
    zh: str
    en: str
    detail: str = ""


class Outage(Exception):  # noqa: N818 - a state of the world that passes, not a mistake
    """There is nothing to show at the moment; ``why`` says why."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.en)
        self.why = why


def unreachable(error: Exception) -> Outage:
    """Redis does not answer, or not as it should."""
    return Outage(
        Reason(
            "redis_unreachable",
            "无法读取 Redis，恢复后自动继续",
            "Redis cannot be read; this recovers by itself",
            with_remedy("Redis", error),
        )
    )


def empty() -> Outage:
    """Redis answers and holds nothing of this operation."""
    return Outage(
        Reason(
            "redis_empty",
            "Redis 中暂无数据，等待工作进程写入",
            "Redis holds no data yet; waiting for a worker to write",
        )
    )


def broken(error: Exception) -> Outage:
    """A fault of the wallboard itself; its log has the trace."""
    return Outage(
        Reason(
            "internal",
            "大屏服务内部错误，详见日志",
            "A fault in the wallboard; see its log",
            f"{type(error).__name__}: {error}",
        )
    )
