"""What is to be reached: by KPI, for whom, from which day. Screens colour by it, alert rules compare with it, cards are filled by it."""
