"""Entry point of `python -m tests.coverage`."""

from tests.coverage.command import main

main()
