"""What commands share: options, errors, and how they come to days, people and sums."""
