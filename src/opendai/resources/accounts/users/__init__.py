"""Users: people with a password, a role, and groups, one of which is of their own name."""
