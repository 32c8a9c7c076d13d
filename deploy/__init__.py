"""Brokers where a machine has none: a local Kafka, a local Redis, and a check of what is there."""
