"""Time: the one clock, days of the operation, panes and the windows that roll over them."""
