"""`python -m inoculate`."""

from inoculate.cli.app import main

main()
