"""The catalogue of KPIs as a page in each language, and the worked examples in it."""
