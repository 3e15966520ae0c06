"""Commands: each file parses, calls one function and prints."""


def main() -> None:
    """Run the `wildsr` program."""
    from wildsr.cli.main import main as run

    run()
