"""`opendai demo`."""

from typing import Annotated

import typer


def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="End by itself; exit code 0 only if both runs PASSED.")
    ] = False,
) -> None:
    """Serve on a free port, walk two sample models, show what came out, and keep serving until Ctrl-C."""
    # It draws tables and calls a server; the other commands start without these modules.
    from opendai.cli.demonstration import demonstrate  # noqa: PLC0415

    demonstrate(leave=leave)
