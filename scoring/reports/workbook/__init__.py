"""The workbook (XLSX) of a run."""
