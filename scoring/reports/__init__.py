"""A run for readers: terminal, CSV, JSON, workbook and sheets."""
