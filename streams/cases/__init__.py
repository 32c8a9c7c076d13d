"""Cases: what somebody must look into, with an owner and a due time, until its root cause and what is done about it are told."""
