"""The languages of what people read. ``text``: what each has to be called by, in all of them side by side; ``translation``: what the
program says in English, such as help and refusals, in the language of whoever reads it.

This package itself imports nothing: every command begins with it.
"""

from __future__ import annotations

from typing import TypeAlias

#: A language's code (ISO 639-1).
Language: TypeAlias = str
