"""The program's own streams, whatever they are: closed, full, or of an encoding that lacks our characters."""

import codecs
import os
import sys
from contextlib import suppress
from io import TextIOWrapper

from wildsr.errors import OutputError

_PLAIN = {
    "×": "x", "–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "·": "*", "≤": "<=", "≥": ">=", "≈": "~",
    "½": "1/2", "¼": "1/4", "²": "^2", "³": "^3", "±": "+-", "√": "sqrt", "∞": "inf", "ö": "oe", "é": "e",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "σ": "sigma", "µ": "u", "μ": "u", "Σ": "sum",
    "•": "*", "’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " ", "⠋": "*",
}  # fmt: skip
"""What stands for a character where an encoding lacks it."""
_HANDLER = "wildsr.plain"

_wrote_data = False


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace what an encoding lacks: by plainer characters, bytes of a name by themselves, the rest by escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    one = error.object[error.start]
    if "\udc80" <= one <= "\udcff":  # an undecodable byte of a name, kept as it is on disk
        return bytes([ord(one) - 0xDC00]), error.start + 1
    return _PLAIN.get(one, one.encode("unicode_escape").decode("ascii")), error.start + 1


def prepare() -> None:
    """Make the streams safe to write to; called once, when the program starts."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:  # else the next file opened would become standard output
            os.open(os.devnull, os.O_RDWR)
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="surrogateescape" if _is_unicode(stream.encoding) else _HANDLER)


def write_data(text: str) -> None:
    """Write to stdout at once.

    Raises:
        OutputError: It is closed, or what takes it is full.
        BrokenPipeError: Its reader has gone.
    """
    global _wrote_data  # noqa: PLW0603 -- standard output is the process's
    stream = sys.stdout
    if stream is None:
        raise OutputError(
            "standard output is closed", hint="name a file or a pipe for it: wildsr … > result.txt"
        )
    codecs.register_error(_HANDLER, _plain)
    errors = "surrogateescape" if _is_unicode(stream.encoding) else _HANDLER
    try:
        stream.buffer.write(text.encode(stream.encoding, errors))
        stream.flush()
        _wrote_data = True
    except BrokenPipeError:
        raise
    except OSError as error:
        raise stdout_error(error) from error


def wrote_data() -> bool:
    """Whether any data has been written."""
    return _wrote_data


def stdout_error(error: OSError) -> OutputError:
    """Return the error that says why stdout can't be written."""
    reason = error.strerror or str(error)
    return OutputError(
        f"can't write to standard output: {reason[:1].lower()}{reason[1:]}", hint="send it elsewhere"
    )


def let_go_of_stdout() -> None:
    """Send what is still to be flushed nowhere, so that the interpreter's end is silent."""
    if sys.stdout is not None:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_unicode(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith("utf")
