"""The ways by which incidents are told: a module for each kind of channel."""
