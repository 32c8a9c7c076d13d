"""Who is in which state since when, and who is planned when."""
