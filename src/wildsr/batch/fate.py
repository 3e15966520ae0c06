"""What an error says of a picture: whether it is to blame, and why, in words."""

from wildsr.batch.manifest import Status
from wildsr.errors import BackendError, InputError, NoSpaceError, OutputError


def fate(error: Exception) -> Status:
    """Return `quarantined` where the picture is to blame, `failed` where a later run may do better."""
    if isinstance(error, InputError | OutputError | FileNotFoundError) and not isinstance(
        error, NoSpaceError | BackendError
    ):
        return "quarantined"
    return "failed"


def told(error: Exception) -> str:
    """Return the reason for a record."""
    if isinstance(error, FileNotFoundError):
        return "it is no longer there"
    return str(error) if isinstance(error, InputError | OutputError) else f"{type(error).__name__}: {error}"
