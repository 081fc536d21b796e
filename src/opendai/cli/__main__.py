"""`python -m opendai.cli`, if the command itself is not on the path."""

from opendai.cli import main

main()
