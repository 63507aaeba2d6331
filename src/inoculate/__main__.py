"""`python -m inoculate`."""

from inoculate.cli import main

main()
