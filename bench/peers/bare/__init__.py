"""Bare Starlette on the bare driver of the database: the least that any server must do for the same answers."""
