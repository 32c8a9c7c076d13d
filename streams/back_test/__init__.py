"""Alert rules tried on the past: what they would have done, as figures and as a page."""
