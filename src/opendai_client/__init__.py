"""Everything that speaks HTTP to the server: the client, the agent, the runner."""
