"""The templates of HTML and SVG."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("scoring.reports"),
        autoescape=True,  # ids and names are people's own: whatever they hold is text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: object) -> str:
    """The template filled in. Raises jinja2.UndefinedError where a value is missing."""
    return _environment().get_template(template).render(values)
