"""Commands: each file parses, calls one function and prints."""

import sys


def main() -> None:
    """Run the `wildsr` program.

    Exit codes: 0 ok, 1 failed, 2 usage, 128 + a signal's number (130 for Ctrl-C).
    """
    try:
        from wildsr.cli import signals, streams
        from wildsr.cli.ending import ended
    except KeyboardInterrupt:  # so early that nothing of ours is there to answer it
        if "--json" in sys.argv:
            sys.stdout.write('{"stopped": "interrupted"}\n')
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    with signals.answered():
        try:
            streams.prepare()
            with signals.patient():  # an import broken off in the middle raises what it likes
                from wildsr.cli.commands import application_for

                app = application_for(sys.argv[1:])
            if signals.asked():
                raise KeyboardInterrupt
            app()
        except BaseException as error:  # the program's last word on anything
            signals.settle()
            code = ended(error)
        else:
            code = 0
    sys.exit(code)
