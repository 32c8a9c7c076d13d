"""``deskpulse score`` and ``deskpulse card``: what is typed, and what is said in return."""
