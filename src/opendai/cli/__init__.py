"""The `opendai` command. Its errors are one clear line on standard error and exit code 1 or 2."""

import gc


def main() -> None:
    """Run the command, whose parts are imported here."""
    # Imported objects stay, and searching them for garbage takes a sixth of the start.
    gc.disable()
    from opendai.cli.command import main as run  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    run()
