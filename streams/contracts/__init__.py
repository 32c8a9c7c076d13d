"""What travels between the parts: events in, results out, the topics that carry both, and the decoding of bytes."""
