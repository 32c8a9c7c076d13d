"""The desk: the application that people log in to. Other packages join it with routes of their own (entry point ``deskpulse.web``)."""
