"""A run and what it stands on: inputs, result, messages, and the lines in which both are frozen."""
