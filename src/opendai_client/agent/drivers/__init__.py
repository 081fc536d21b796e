"""Drivers perform the steps of a walk: the port, and the drivers behind it."""
