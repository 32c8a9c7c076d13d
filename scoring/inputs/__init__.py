"""What people hand in for a period: what is needed and from whom, the sheets it comes in, and whether it fits the card."""
