"""A real Asterisk with real SIP callers, for the followers of its log and of its AMI: ``make asterisk``."""
