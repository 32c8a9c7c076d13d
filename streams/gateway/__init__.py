"""The gateway: takes events and vendors' webhooks by HTTP, and answers once Kafka has them."""
