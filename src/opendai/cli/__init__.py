"""The `opendai` command. Its errors are one clear line on standard error and exit code 1 or 2."""

from opendai.cli.command import main

__all__ = ["main"]
