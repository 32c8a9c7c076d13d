"""What tests are written with: a desk in words, an operation of processes, a month's end, states, the compiled build."""

from pathlib import Path

#: Where the project lies.
ROOT = Path(__file__).parents[2]
