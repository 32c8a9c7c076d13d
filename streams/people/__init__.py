"""Who people are: the one place that knows a name. Everything else knows ids; a name is put in where somebody looks."""
