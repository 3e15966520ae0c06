"""Journals that are corrupt or hostile: a clear error or ignored lines, never a wrong skip."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wildsr.errors import OutputError, WildsrError
from wildsr.files import JOURNAL_NAME, Job, Journal
from wildsr.files.fingerprint import fingerprint
from wildsr.files.records import JournalEntry, header_line, read_journal

HEADER = header_line({"tile": 512})
SHA = "0" * 64
PRINT = {"sha256": SHA, "size": 1, "mtime_ns": 1, "ctime_ns": 1, "inode": 1}
DONE = {"target_path": "a", "status": "done", "source": PRINT, "target": PRINT, "seconds": 1.0, "reason": ""}


def journal(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / JOURNAL_NAME
    path.write_bytes(content)
    return path


def line(**changes: object) -> bytes:
    return json.dumps({**DONE, **changes}).encode() + b"\n"


@pytest.mark.parametrize(
    "content",
    [
        b"not json\n",
        b"\n",
        b"[]\n",
        b"null\n",
        b"{}\n",
        b'{"wildsr_journal":2,"settings":{}}\n',
        b'{"wildsr_journal":true,"settings":{}}\n',
        b'{"wildsr_journal":1,"settings":[]}\n',
        b'{"wildsr_journal":1,"settings":{"tile":{}}}\n',
        b'{"wildsr_journal":1}\n',
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\x00\n",
        b'{"wildsr_journal":1,"settings":{"a":"' + b"x" * 300_000 + b'"}}\n',
        b"a text of the user without a line end",
        b"\0" * 4096,
    ],
)
def test_a_file_without_a_header_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = journal(tmp_path, content)
    with pytest.raises(OutputError, match="damaged, or no journal") as caught:
        Journal.open(path, {"tile": 512})
    assert "--no-resume" in str(caught.value.hint)
    assert path.read_bytes() == content
    Journal.open(path, {"tile": 512}, resume=False).close()
    assert (tmp_path / ".wildsr-journal.1.jsonl").read_bytes() == content


@pytest.mark.parametrize("length", [0, 1, 10, len(HEADER) - 1])
def test_a_header_cut_short_by_a_crash_begins_anew(tmp_path: Path, length: int) -> None:
    path = journal(tmp_path, HEADER[:length])
    Journal.open(path, {"tile": 512}).close()
    assert path.read_bytes() == HEADER


@pytest.mark.parametrize(
    "bad",
    [
        b"garbage\n",
        b"\n",
        b"null\n",
        b"[1]\n",
        b"NaN\n",
        b"[" * 100_000 + b"\n",
        b'{"a":' * 20_000 + b"\n",
        b"9" * 10_000 + b"\n",
        b"\xff\xff\n",
        b"x" * 600_000 + b"\n",
        line(target_path="/etc/passwd"),
        line(target_path="../a"),
        line(target_path="x/../../a"),
        line(target_path="a\0"),
        line(target_path=""),
        line(target_path=5),
        line(status="Done"),
        line(status=["done"]),
        line(source=None),
        line(source=[]),
        line(source={**PRINT, "sha256": "../x"}),
        line(source={**PRINT, "sha256": 5}),
        line(target={**PRINT, "size": True}),
        line(target={**PRINT, "size": 1.0}),
        line(target={**PRINT, "inode": "1"}),
        line(target={"sha256": SHA}),
        line(seconds="1"),
        line(seconds=-1),
        line(seconds=True),
        line(seconds=10**400),
        line().replace(b'"seconds": 1.0', b'"seconds": 1e999'),
        line(reason=None),
    ],
)
def test_lines_that_are_no_records_are_left_out(tmp_path: Path, bad: bytes) -> None:
    recorded = read_journal(journal(tmp_path, HEADER + bad + line(target_path="good") + bad))
    assert list(recorded.entries) == ["good"]
    assert recorded.damaged == 2
    assert recorded.whole == len(HEADER) + 2 * len(bad) + len(line(target_path="good"))


def test_written_and_read_back(tmp_path: Path) -> None:
    mark = fingerprint(journal(tmp_path, b"x"))
    for entry in (
        JournalEntry(status="begun", source=mark),
        JournalEntry(status="begun", source=mark, target=mark),
        JournalEntry(status="done", source=mark, target=mark, seconds=1.5),
        JournalEntry(status="failed", reason="néw\nline \udcff", seconds=2),
        JournalEntry(status="failed", target=mark, reason="x"),
    ):
        path = journal(tmp_path, HEADER + entry.line(source="s \udcff", target="t/\udcff"))
        assert read_journal(path).entries == {"t/\udcff": entry}


def test_the_last_line_of_a_target_counts(tmp_path: Path) -> None:
    failed = {"target_path": "a", "status": "failed", "seconds": 0, "reason": "x"}
    path = journal(tmp_path, HEADER + line() + json.dumps(failed).encode() + b"\n")
    assert read_journal(path).entries["a"].status == "failed"


def test_long_names_fit_into_a_line(tmp_path: Path) -> None:
    name = "/".join(["\udcff" * 255] * 15)
    entry = JournalEntry(status="failed", reason="\udcff" * 2000)
    path = journal(tmp_path, HEADER + entry.line(source=name, target=name))
    assert read_journal(path).entries == {name: entry}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
records = st.fixed_dictionaries(
    {},
    optional={
        "wildsr_journal": st.just(1) | values,
        "settings": st.dictionaries(st.text(max_size=5), scalars, max_size=2) | values,
        "target_path": st.sampled_from(["out.png", "../x", "/x", "."]) | values,
        "status": st.sampled_from(["begun", "done", "failed"]) | values,
        "source": st.just(PRINT) | values,
        "target": st.just(PRINT) | values,
        "seconds": st.floats(0, 10) | values,
        "reason": st.text(max_size=5) | values,
    },
)
lines = records.map(lambda record: json.dumps(record).encode()) | st.binary(max_size=60)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(lines, max_size=6), st.booleans(), st.booleans())
def test_no_broken_or_foreign_journal_makes_a_run_skip(
    tmp_path: Path, body: list[bytes], with_header: bool, torn: bool
) -> None:
    """Whatever the file holds, a result that was not made from this source by us is not taken as done."""
    source, target = tmp_path / "source.jpg", tmp_path / "out.png"
    source.write_bytes(b"source")
    target.write_bytes(b"result")
    content = (HEADER if with_header else b"") + b"\n".join(body) + (b"" if torn else b"\n")
    path = journal(tmp_path, content)
    try:
        with Journal.open(path, {"tile": 512}) as opened:
            pending = opened.pending([Job(source=source, target=target)])
    except WildsrError:
        assert path.read_bytes() == content
        return
    assert pending.skipped == ()


def test_a_journal_that_names_both_files_truly_is_believed(tmp_path: Path) -> None:
    """The limit of what SECURITY.md promises: whoever can write here could have written the result too."""
    source, target = tmp_path / "source.jpg", tmp_path / "out.png"
    source.write_bytes(b"source")
    target.write_bytes(b"somebody else's")
    forged = JournalEntry(status="done", source=fingerprint(source), target=fingerprint(target))
    path = journal(tmp_path, HEADER + forged.line(source="source.jpg", target="out.png"))
    job = Job(source=source, target=target)
    with Journal.open(path, {"tile": 512}) as opened:
        assert opened.pending([job]).skipped == (job,)
    source.write_bytes(b"another")
    with Journal.open(path, {"tile": 512}) as opened:
        assert opened.pending([job]).skipped == ()
