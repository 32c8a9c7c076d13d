"""Points from figures: items, people, raters, samples, and how a person stands beside their peers."""
