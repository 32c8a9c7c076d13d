"""``python -m streams`` is ``deskpulse``."""

from streams.cli import main

main()
