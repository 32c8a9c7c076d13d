"""Kafka as seen from a process: how to reach it, its topics, and whether everything in them has been read."""
