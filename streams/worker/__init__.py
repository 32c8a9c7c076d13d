"""The outer ring: what puts results into Kafka, Redis and Prometheus."""
