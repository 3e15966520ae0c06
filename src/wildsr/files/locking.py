"""Locks on open files, which the system frees when their holder ends, in whatever way."""

import errno
import os
import sys
from typing import Final

_TAKEN: Final = frozenset((errno.EAGAIN, errno.EACCES, errno.EDEADLK))
_NO_LOCKS_HERE: Final = frozenset((errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL))


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file for this process, without waiting.

    Returns:
        True when it is ours, False while another process holds it, None on a file system without locks.

    Raises:
        OSError: Anything else the system says.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            # Windows locks are about bytes: one far behind the end keeps readers free.
            position = os.lseek(descriptor, 0, os.SEEK_CUR)
            os.lseek(descriptor, 1 << 40, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(descriptor, position, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        if error.errno in _NO_LOCKS_HERE:
            return None
        raise
    return True
