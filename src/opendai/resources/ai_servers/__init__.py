"""AI servers: services that draft test cases, kept as Squash TM publishes them."""
