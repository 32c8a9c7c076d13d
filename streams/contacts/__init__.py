"""One customer's memory: admit events, join a contact's events, find repeats; out come contributions to entities."""
