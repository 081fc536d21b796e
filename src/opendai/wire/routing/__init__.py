"""How operations are listed, found by their address, and run."""

from opendai.wire.routing.directory import Directory, Found
from opendai.wire.routing.operations import Operation, Router, quick

__all__ = ["Directory", "Found", "Operation", "Router", "quick"]
