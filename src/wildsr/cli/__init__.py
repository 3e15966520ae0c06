"""Commands: each file parses, calls one function and prints."""

import sys

from wildsr.cli import signals, streams


def main() -> None:
    """Run the `wildsr` program.

    Exit codes: 0 ok, 1 failed, 2 usage, 128 + a signal's number (130 for Ctrl-C).
    """
    from wildsr.cli.ending import ended

    with signals.answered():
        try:
            streams.prepare()
            with signals.patient():  # an import broken off in the middle raises what it likes
                from wildsr.cli.main import app
            if signals.asked():
                raise KeyboardInterrupt
            app()
        except BaseException as error:  # the program's last word on anything
            code = ended(error)
        else:
            code = 0
    sys.exit(code)
