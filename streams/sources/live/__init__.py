"""What all systems that are followed have in common: a stored place, health, names, events on their way to Kafka."""
