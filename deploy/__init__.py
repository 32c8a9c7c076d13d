"""What brings an operation up: brokers where a machine has none, a check of what is there, and the demo."""
