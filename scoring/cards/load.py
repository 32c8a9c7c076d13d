"""Reads score cards and refuses what is wrong with them, naming file, line, item and remedy."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from scoring.cards.model import Card
from scoring.cards.validation import faults
from scoring.rules import RULES
from scoring.yaml_documents import DocumentError, File, read

SCHEMA = "deskpulse/card/1"


class CardError(DocumentError):
    """A card that cannot be used; the message has one line per fault: ``FILE:LINE: item ID: FIELD: what is wrong``."""


def known() -> dict[str, Traversable]:
    """The cards that come with the program: id → file, in order of id."""
    stored = sorted((files("scoring") / "cards" / "library").iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".yaml"): file for file in stored if file.name.endswith(".yaml")}


def locate(name: str) -> File:
    """The file of the card with this id, or the one that the path names. Raises CardError where there is none."""
    built_in = known()
    if name in built_in:
        return built_in[name]
    if Path(name).suffix in (".yaml", ".yml"):
        return Path(name)
    ids = ", ".join(built_in)
    raise CardError(
        f"no card is called {name!r}; known: {ids}; for a card of your own, give the path of its .yaml file"
    )


def find(name: str) -> Card:
    """The card with this id, or in this file.

    Raises CardError where there is none, naming the known ids, and for every fault in it.
    """
    return load(locate(name))


def load(file: File) -> Card:
    """The card in this YAML file. Raises CardError that lists every fault."""
    return read(file, SCHEMA, Card, faults, CardError, RULES)
