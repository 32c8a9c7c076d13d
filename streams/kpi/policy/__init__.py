"""The policy: argued values, their versions, and the business hours and holidays among them."""
