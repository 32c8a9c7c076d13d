"""Statistics of sums: confidence intervals and percentiles."""
