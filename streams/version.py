"""Which build of Deskpulse this is: its version, and whether its kernel is compiled (``setup.py``)."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

#: One module for all of them: they are compiled together or not at all.
_KERNEL = "streams.entities.stage"


def compiled() -> bool:
    """Is the kernel compiled?"""
    spec = find_spec(_KERNEL)
    return spec is not None and not str(spec.origin).endswith(".py")


def named() -> str:
    """As it is shown: ``deskpulse 0.1.0``, or ``deskpulse 0.1.0, compiled``."""
    return f"deskpulse {version('deskpulse')}" + (", compiled" if compiled() else "")
