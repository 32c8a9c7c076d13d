"""Score cards as data: what they state, how they are loaded and refused, and what changes their weights."""
