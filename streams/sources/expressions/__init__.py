"""The expressions of a mapping: parsed, then compiled to closures."""
