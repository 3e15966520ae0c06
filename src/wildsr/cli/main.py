"""The whole program, every command loaded: for documentation and tests. `wildsr.cli.main` runs what it needs of it."""

from wildsr.cli.commands import application

app = application()
