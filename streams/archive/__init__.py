"""Events in files: what came in by Kafka is kept as it came, to the byte and the offset, is proven whole, and facts are computed from it
again.
"""
