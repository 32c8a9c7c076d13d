"""What every source that is followed has: its health, its metrics, and the place from which it goes on."""
