"""Commands: each file parses, calls one function and prints."""

import os
import sys


def main() -> None:
    """Run the `wildsr` program: errors are printed once, exit codes are 0 ok, 1 failed, 2 usage."""
    from wildsr.cli.console import complain, say
    from wildsr.cli.main import app
    from wildsr.errors import UsageError, WildsrError

    try:
        app()
    except UsageError as error:
        complain(error)
        sys.exit(2)
    except WildsrError as error:
        complain(error)
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our stdout has gone; silence the flush at exit too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
