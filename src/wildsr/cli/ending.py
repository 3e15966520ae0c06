"""How the program ends: an error is told once, and the exit code says what it was."""

import sys

from wildsr.cli import signals, streams
from wildsr.errors import UsageError, WildsrError


def ended(error: BaseException) -> int:
    """Tell what ended the program; return its exit code.

    Raises:
        BaseException: `error` itself where nobody foresaw it.
    """
    code = _told(error)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        streams.let_go_of_stdout()
        return code or 1
    except OSError as full:
        streams.let_go_of_stdout()
        return code or _complained(streams.stdout_error(full))
    return code


def _told(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt | SystemExit) and signals.asked():
        return _interrupted()
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, WildsrError):
        return _complained(error)
    if isinstance(error, BrokenPipeError):  # the reader of our stdout has gone
        streams.let_go_of_stdout()
        return 1
    if isinstance(error, OSError) and error.filename is None:  # a stream; files are told with their names
        streams.let_go_of_stdout()
        return _complained(streams.stdout_error(error))
    raise error


def _complained(error: WildsrError) -> int:
    from wildsr.cli.console import complain

    complain(error)
    return 2 if isinstance(error, UsageError) else 1


def _interrupted() -> int:
    """Say so; a program that asked for JSON gets an object in any case."""
    if "--json" in sys.argv and not streams.wrote_data():
        streams.write_data('{"stopped": "interrupted"}\n')
    if sys.stderr is not None:
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()
    return signals.exit_code()
