"""What a policy has no answer to."""

from __future__ import annotations


class NotCoveredError(ValueError):
    """The policy says nothing about a day (no version of it is in force, or no calendar knows its year), or about a rating's scale."""
