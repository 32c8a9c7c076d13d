"""When to call people: rules as data, their evaluation on snapshots, and the life of an alert."""
