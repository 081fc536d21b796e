"""Executions: the one place where a run changes state.

A run is QUEUED by `starting`, RUNNING by `claims`, fed by `reporting`, and ended by `endings`.
"""
