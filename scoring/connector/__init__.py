"""Results to an HR system over HTTP: each person's once, whatever fails on the way."""

from scoring.connector.journal import Journal
from scoring.connector.mapping import Mapping, MappingError, load_mapping
from scoring.connector.push import Outcome, Report, push

__all__ = ["Journal", "Mapping", "MappingError", "Outcome", "Report", "load_mapping", "push"]
