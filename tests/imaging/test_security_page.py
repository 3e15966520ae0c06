"""SECURITY.md names its tests; each of them exists."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [
    line for line in PAGE.splitlines() if line.startswith("| ") and "|--" not in line and line.count("|") == 4
]
THREATS = [row for row in ROWS if not row.startswith(("| threat", "| limit", "| `max_"))]


def test_the_page_has_its_tables() -> None:
    assert len(THREATS) >= 30


@pytest.mark.parametrize("row", THREATS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_threat_names_tests_that_exist(row: str) -> None:
    """A row refers to a file, a test in it (`file::test`), or a test in the file named before (`::test`, `test`)."""
    where = row.split("|")[3]
    files = re.findall(r"tests/[\w/]+\.py", where)
    for name in files:
        assert (REPOSITORY / name).is_file(), name
    tests = re.findall(r"(?<![\w/])(?:::)?(test_\w+)`|::(test_\w+)", where)
    sources = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py"))
    for pair in tests:
        name = pair[0] or pair[1]
        assert f"def {name}(" in sources, name
    assert files or tests or "same" in where or "by design" in where
