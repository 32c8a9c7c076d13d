"""Brokers of this machine: Kafka, Redis and PostgreSQL for whoever has none."""
