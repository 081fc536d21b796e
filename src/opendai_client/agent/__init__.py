"""The agent: claims runs, walks their models on a system under test, and reports what happened."""
