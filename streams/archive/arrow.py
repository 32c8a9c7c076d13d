"""pyarrow, which not every installation has: it is 55 MB, and only the archive needs it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def arrow(part: str = "") -> Any:
    """pyarrow, or a module of it (``.fs``). Raises ValueError where it is not installed, with what to type."""
    try:
        return import_module(f"pyarrow{part}")
    except ImportError as error:
        raise ValueError(
            "the archive needs pyarrow, which is not installed: pip install 'deskpulse[archive]'"
        ) from error
