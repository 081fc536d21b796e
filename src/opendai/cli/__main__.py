"""`python -m opendai.cli`, for where the command itself is not on the path."""

from opendai.cli import main

main()
