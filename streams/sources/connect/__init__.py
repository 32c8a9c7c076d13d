"""Amazon Connect, followed: contact records and agent events from Kinesis and from files in S3."""
