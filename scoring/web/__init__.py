"""The month's end at the desk: routes for HR, for whoever rates, and for who is rated. The rules are in ``scoring.workflow``."""
