"""The agents' side of executions. docs/agents.md describes the whole protocol."""
