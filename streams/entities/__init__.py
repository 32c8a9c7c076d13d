"""Stage two: contributions become panes, days, alerts and what screens show of an agent, team, queue, site or all."""
