"""Every error wildsr raises on purpose.

Each message says what was given and what is allowed; `hint` is the next step, printed on a line of its own. Both can
always be printed, whatever a file name or a damaged file brought into them.
Commands exit 2 on a `UsageError` and 1 on any other.
"""


class WildsrError(Exception):
    """Root of the tree: catch this to catch everything wildsr raises on purpose.

    Args:
        message: What was given, and what is allowed.
        hint: What to do next.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(_printable(message))
        self.hint = None if hint is None else _printable(hint)


class UsageError(WildsrError):
    """An option, argument or configuration value that can't be used."""


class InputError(WildsrError):
    """A picture (or folder of pictures) that can't be read or used."""


class LimitError(InputError):
    """An input beyond a stated limit: too many pixels, too many frames, too large a file."""


class OutputError(WildsrError):
    """A result that can't be written: format limit, existing file, full disk, missing permission."""


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


def _printable(text: str) -> str:
    """Escape control characters and undecodable bytes: file names and damaged files reach the terminal in messages."""
    return "".join(
        one if one.isprintable() or one in "\n\u00a0" else one.encode("unicode_escape").decode("ascii")
        for one in text
    )
