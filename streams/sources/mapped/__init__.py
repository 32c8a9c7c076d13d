"""Sources of one's own: topics and tables, read by a mapping that their file has."""
