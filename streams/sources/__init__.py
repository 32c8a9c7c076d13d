"""What turns other systems' records into events: tables by a mapping, a simulated desk; what sends them to Kafka."""
