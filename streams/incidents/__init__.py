"""One cause, one incident: alerts of all partitions grouped, acknowledged, silenced, escalated, and told step by step."""
