"""Which process made a file, and whether it still runs."""

import hashlib
import os
import socket
import sys
from pathlib import Path


def own_tag() -> str:
    """Return `host-pid-start` of this process, in characters that any file system takes in a name."""
    return tag_of(os.getpid())


def tag_of(pid: int) -> str:
    """Return the tag of another process of this machine, such as a child."""
    return f"{_host()}-{pid}-{_start(pid)}"


def is_dead(tag: str) -> bool:
    """Tell whether the process of a tag surely runs no more.

    False when in doubt: another machine's (on a shared folder), or on a system that can't tell.
    """
    _, _, rest = tag.partition("-")
    pid, _, start = rest.partition("-")
    if not is_of_this_machine(tag) or not (pid.isascii() and pid.isdigit()) or sys.platform == "win32":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    # A container gives every run the same pid, so the start time has the last word.
    return start != _start(int(pid))


def is_of_this_machine(tag: str) -> bool:
    """Tell whether a tag is of a process of this machine (or container: each has a host name of its own)."""
    return tag.partition("-")[0] == _host()


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]


def _start(pid: int) -> str:
    """Return a process's start time in clock ticks since boot, or `0` where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return "0"
    return status[status.rindex(b")") + 1 :].split()[19].decode()
