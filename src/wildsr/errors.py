"""Every error wildsr raises on purpose.

Each message says what was given and what is allowed; `hint` is the next step, printed on a line of its own. Both can
always be printed, whatever a file name or a damaged file brought into them.
Commands exit 2 on a `UsageError` and 1 on any other.
"""

import unicodedata
from collections.abc import Collection, Iterable


class WildsrError(Exception):
    """Root of the tree: catch this to catch everything wildsr raises on purpose.

    Args:
        message: What was given, and what is allowed.
        hint: What to do next.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(printable(message, keep="\n"))
        self.hint = None if hint is None else printable(hint, keep="\n")


class UsageError(WildsrError):
    """An option, argument or configuration value that can't be used."""


class InputError(WildsrError):
    """A picture (or folder of pictures) that can't be read or used."""


class LimitError(InputError):
    """An input beyond a stated limit: too many pixels, too many frames, too large a file."""


class OutputError(WildsrError):
    """A result that can't be written: format limit, existing file, full disk, missing permission."""


class NoSpaceError(OutputError):
    """No room left where a result goes: what comes next would be computed in vain."""


class AssetError(WildsrError):
    """A weight or parameter file that can't be fetched, found or verified."""


class ModelError(WildsrError):
    """A model file that can't be trusted, understood or run."""


class BackendError(WildsrError):
    """Inference that failed or gave a result that can't be right."""


class OutOfMemoryError(BackendError):
    """Inference that ran out of memory; the engine plans again with smaller tiles."""


class ForkError(WildsrError):
    """A library used in a forked child, where the threads it had started are gone and it would wait for ever.

    Args:
        library: The library's name.
    """

    def __init__(self, library: str) -> None:
        super().__init__(
            f"{library} was started before this process was forked, and can't run in the child",
            hint='start processes with multiprocessing.get_context("spawn"), or fork before the first picture',
        )


class MetricError(WildsrError):
    """A metric that can't be computed on this picture (too small, constant, sizes that differ)."""


class TrainingError(WildsrError):
    """A training that can't start or go on."""


class ProfileError(WildsrError):
    """A degradation profile that can't be read, trusted or made."""


def nearest(given: str, known: Iterable[str]) -> list[str]:
    """Return up to three of the known names that a mistyped one may mean, the likeliest first."""
    from difflib import get_close_matches

    names = {name.casefold(): name for name in known}
    # Comparing takes time by length; nobody mistypes a name of hundreds of letters.
    return [names[one] for one in get_close_matches(given[:100].casefold(), names, n=3, cutoff=0.5)]


def did_you_mean(given: str, known: Collection[str]) -> str:
    """Return the hint for a name that isn't known: those it may mean, else all there are."""
    near = nearest(given, known)
    return f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"


def printable(text: str, *, keep: str = "") -> str:
    r"""Return a text as it can be printed anywhere.

    Control characters (a newline, an escape sequence meant for the terminal) and bytes that are not UTF-8
    appear as `\xNN`; everything else, in any script, stays as it is.

    Args:
        text: From a file name, or out of a file.
        keep: Control characters that may stay.
    """
    return "".join(
        one if one.isprintable() or one in keep or unicodedata.category(one) == "Zs" else _escaped(one)
        for one in text
    )


def _escaped(character: str) -> str:
    if 0xDC80 <= ord(character) <= 0xDCFF:  # a byte that was not UTF-8 (PEP 383)
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
