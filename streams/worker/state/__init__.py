"""State of a worker: held encoded, changed decoded, written back to Kafka and read again from there."""
