"""AMI, Asterisk's manager interface: what a queue_log does not tell, as it happens."""
