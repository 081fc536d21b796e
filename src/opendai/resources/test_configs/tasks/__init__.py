"""Test config tasks: executions as DAI 5.2 publishes them, and records of executions that ran elsewhere."""
