"""A whole operation under a plan of faults, and what it must have come to afterwards."""
