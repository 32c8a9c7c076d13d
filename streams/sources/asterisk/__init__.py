"""Asterisk: its queue_log, read as a file or followed as it is written."""
