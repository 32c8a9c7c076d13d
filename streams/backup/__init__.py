"""Backup and restore of a whole operation: its topics, databases, files and archive; and, by the same way, more partitions."""
