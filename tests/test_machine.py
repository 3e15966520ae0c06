"""What the machine says of itself, where it says it and where it doesn't."""

from pathlib import Path

import pytest

from wildsr import machine

CPUINFO = """processor\t: 0
model name\t: Example CPU @ 2.0GHz: fast
flags\t\t: fpu sse2 avx512_bf16
processor\t: 1
model name\t: Other
"""


def test_the_first_processor_is_named_with_its_abilities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(CPUINFO)
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "cpuinfo")
    assert machine.processor() == "Example CPU @ 2.0GHz: fast"
    assert machine.processor_flags() == {"fpu", "sse2", "avx512_bf16"}


def test_a_system_that_says_nothing_has_a_processor_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "missing")
    assert machine.processor() != ""
    assert machine.processor_flags() is None


def test_cores_are_those_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert machine.cores() == 3
    monkeypatch.delattr(machine.os, "sched_getaffinity")
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 6)
    assert machine.cores() == 6


@pytest.mark.parametrize(("limit", "expected"), [("max", 8 << 30), (str(3 << 30), 2 << 30)])
def test_free_memory_is_no_more_than_the_control_group_allows(
    monkeypatch: pytest.MonkeyPatch, limit: str, expected: int
) -> None:
    told = {
        "/proc/meminfo": f"MemTotal: 99 kB\nMemAvailable:   {8 << 20} kB\n",
        "/sys/fs/cgroup/memory.max": f"{limit}\n",
        "/sys/fs/cgroup/memory.current": f"{1 << 30}\n",
    }
    monkeypatch.setattr(Path, "read_text", lambda path, **_: told[str(path)])
    assert machine.free_memory() == expected


def test_some_memory_is_free() -> None:
    assert machine.free_memory() > 10**8
