"""Tables (CSV, XLSX) as a source: cells, the mapping, and the rows that were refused."""
