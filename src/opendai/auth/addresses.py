"""Where a request comes from."""

from fastapi import Request


def client_address(request: Request) -> str | None:
    """The address of whoever asks; None where the connection has none, such as a socket in the file system."""
    return request.client.host if request.client else None
