"""What people decide, kept: inputs, runs, reviews, appeals, tokens, and who did what when."""
