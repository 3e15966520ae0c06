"""What this machine computes with: detected, never assumed."""

import os
import platform
from pathlib import Path
from typing import Final

_CPUINFO: Final = Path("/proc/cpuinfo")
_UNKNOWN_MEMORY: Final = 5_400_000_000


def processor() -> str:
    """Return the processor's name, as its maker writes it where the system says."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def processor_flags() -> frozenset[str] | None:
    """Return the processor's abilities by Linux's names (`avx512_bf16`, …); None where the system doesn't say."""
    flags = _cpuinfo("flags")
    return None if flags is None else frozenset(flags.split())


def cores() -> int:
    """Return how many processor cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def free_memory() -> int:
    """Return the bytes this process may still take: free memory, or less where a control group limits it."""
    free = _meminfo("MemAvailable")
    if free is None:
        try:
            free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
        except (ValueError, OSError, AttributeError):
            free = _UNKNOWN_MEMORY
    limit, used = _number("/sys/fs/cgroup/memory.max"), _number("/sys/fs/cgroup/memory.current")
    return min(free, limit - used) if limit is not None and used is not None else free


def _cpuinfo(key: str) -> str | None:
    try:
        with _CPUINFO.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, colon, value = line.partition(":")
                if colon and name.strip() == key:
                    return value.strip()
    except OSError:
        pass
    return None


def _meminfo(key: str) -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith(f"{key}:")), None)
    return None if found is None else int(found) * 1024


def _number(path: str) -> int | None:
    """The number in a control-group file; None where there is no file or no limit."""
    try:
        text = Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
