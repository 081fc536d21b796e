"""Tokens for programs and people: the token endpoint, and what its neighbours need of it.

`requests` reads the form, `credentials` says which client asks, `codes` and `rotation` claim what may be used
once, and `issuing` words the answer.
"""
