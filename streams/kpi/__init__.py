"""One definition of each KPI: measures that events add to, formulas over them, and the policy people argue about."""
