"""Licenses: optional limits on users and on executions at a time. An installation without a license has no limit.

The limit of an installation is the sum over the licenses that are in force. A limit that no license names is not
enforced. An installation whose licenses are all expired or malformed allows nothing.
"""
