"""Who is compared: one module a contender, each a process of its own (``python -m tests.bench.contenders.<name>``)."""
