"""Month-end scores: score cards as data, rules as pure functions, and the same KPIs as the wallboard."""
