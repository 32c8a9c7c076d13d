"""Every KPI by brute force, written from the catalogue and apart from the kernel: slow, obvious, and right by reading.

``figure(events, policy, entity, window, as_of)`` reads all events anew for every question. Nothing is added up on the way: facts are
read off each contact as plain values, filtered by window and entity, and counted. The kernel is held to it in
``tests/property/test_reference.py`` and in ``tests/acceptance/test_cases.py``; ``README.md`` lists what had to be decided.
"""

from __future__ import annotations

from tests.reference.answer import Answer, Desk

__all__ = ["Answer", "Desk"]
