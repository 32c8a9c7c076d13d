"""What the topics have told, in a database: contacts, presence, facts, alerts, incidents, scores; and every KPI of it by SQL."""
