"""`python -m wildsr` is `wildsr`."""

from wildsr.cli import main

main()
