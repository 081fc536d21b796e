"""Benchmarks: each is a ratio to a peer measured in the same run, with the limit we promise. README.md explains."""
