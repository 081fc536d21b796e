"""The address of a bucket."""

from dataclasses import dataclass, field
from typing import Literal

AddressingStyle = Literal["path", "virtual"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """The place of objects and the way to it. A value of None comes from boto3's own environment and files.

    `prefix` is written in front of every key, with a slash between. `public_endpoint_url` is for links, where
    those who follow them reach the server by another address than we do.
    """

    name: str
    prefix: str = ""
    endpoint_url: str | None = None
    public_endpoint_url: str | None = None
    region: str | None = None
    addressing_style: AddressingStyle | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
