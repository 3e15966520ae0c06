"""Standard streams of any kind: encodings that lack our characters, closed, full, gone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import photo
from tests.engine.tiny import save, tiny_compact
from wildsr.cli import console
from wildsr.cli.main import app
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

GROUPS = {
    f"{group.name} {command.name}"
    for group in app.registered_groups
    if group.typer_instance is not None
    for command in group.typer_instance.registered_commands
}
NAMES = sorted(
    {str(command.name) for command in app.registered_commands}
    | {str(one.name) for one in app.registered_groups}
)
HELPS = [(*name.split(), "--help") for name in ["", *NAMES, *sorted(GROUPS)]]
LISTS = [
    ("models", "list"),
    ("models", "list", "--json"),
    ("models", "info", "realsr-df2k-jpeg"),
    ("metrics", "list"),
    ("metrics", "list", "--markdown"),
    ("degrade", "--list"),
    ("train",),
    ("train", "psnr", "--print-config"),
    ("doctor",),
    ("doctor", "--json"),
    ("--version",),
    ("no such command",),
    ("upscale", "no such ×4 photo → here.png", "-m", "tiny.onnx"),
]


def run(
    *arguments: str, cwd: Path, stdout: int | None = subprocess.PIPE, shell: str = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "wildsr", *arguments]
    if shell:
        command = ["sh", "-c", f'exec "$@" {shell}', "sh", *command]
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "WILDSR_OFFLINE": "1", "WILDSR_CACHE": str(cwd / "cache"), **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
    )


@pytest.fixture
def here(tmp_path: Path) -> Path:
    spec = ModelSpec(id="tiny", architecture="graph", scale=4, halo=6, halo_exact=6)
    save(embed_spec(tiny_compact(), spec), tmp_path / "tiny.onnx")
    photo(tmp_path / "é×.png")
    return tmp_path


def test_every_command_is_here() -> None:
    assert len(NAMES) >= 10
    assert {"models list", "metrics list"} <= GROUPS


ALL_IN_ONE = """
import json, sys
from wildsr.cli import main
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    print("<<<", *arguments, file=sys.stderr, flush=True)
    try:
        main()
    except SystemExit as end:
        print(">>>", end.code, file=sys.stderr, flush=True)
"""


@pytest.mark.e2e
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_every_command_prints_in_any_encoding(encoding: str, here: Path) -> None:
    """All in one process, since each takes a second to start."""
    done = subprocess.run(
        [sys.executable, "-c", ALL_IN_ONE, json.dumps([*HELPS, *LISTS])],
        cwd=here,
        env={**os.environ, "WILDSR_OFFLINE": "1", "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
        timeout=240,
    )
    said = done.stderr.decode(encoding)
    assert done.returncode == 0, said
    assert "Traceback" not in said, said
    codes = [line.split()[1] for line in said.splitlines() if line.startswith(">>>")]
    fails = [index for index, code in enumerate(codes) if code != "0"]
    assert (len(codes), fails) == (len(HELPS) + len(LISTS), [len(codes) - 2, len(codes) - 1])
    assert len(done.stdout.decode(encoding).splitlines()) > 300


@pytest.mark.e2e
def test_what_an_encoding_lacks_becomes_plainer_characters(here: Path) -> None:
    shown = run("upscale", "--help", cwd=here, PYTHONIOENCODING="ascii").stdout.decode("ascii")
    assert "by default x4;" in " ".join(shown.split())
    assert "\\x" not in shown


@pytest.mark.e2e
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_names_are_printed_in_the_stream_s_encoding(encoding: str, here: Path) -> None:
    done = run("upscale", "é×.png", "-m", "tiny.onnx", cwd=here, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert (here / "é×_x4.png").is_file()
    assert (
        done.stdout
        == {
            "cp1252": "é×_x4.png\n".encode("cp1252"),
            "ascii": b"ex_x4.png\n",
            "utf-8": "é×_x4.png\n".encode(),
        }[encoding]
    )


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform != "linux", reason="has /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ("metrics", "list"),
        ("doctor", "--json"),
        ("--help",),
        ("upscale", "--help"),
        ("--version",),
        ("train",),
    ],
    ids=" ".join,
)
def test_a_full_stdout_is_named(arguments: tuple[str, ...], here: Path) -> None:
    done = run(*arguments, cwd=here, shell="> /dev/full")
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "error: can't write to standard output: no space left on device\n\nhint: send it elsewhere\n"
    )


@pytest.mark.e2e
@pytest.mark.skipif(os.name != "posix", reason="closes streams as a shell does")
@pytest.mark.parametrize("arguments", [("doctor", "--json"), ("train",)], ids=" ".join)
def test_a_closed_stdout_is_named(arguments: tuple[str, ...], here: Path) -> None:
    done = run(*arguments, cwd=here, shell=">&-")
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: standard output is closed\n\nhint: ")


@pytest.mark.e2e
@pytest.mark.skipif(os.name != "posix", reason="closes streams as a shell does")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_results_are_right_whatever_is_closed(closed: str, here: Path) -> None:
    """A file must never get a closed stream's number, or what is printed would end in it."""
    assert run("upscale", "é×.png", "-m", "tiny.onnx", "-o", "right.png", cwd=here).returncode == 0
    done = run("upscale", "é×.png", "-m", "tiny.onnx", "-o", "made.png", cwd=here, shell=closed)
    assert b"Traceback" not in done.stderr
    assert (done.returncode == 0) == (">&-" not in closed.replace("2>&-", ""))
    assert (here / "made.png").read_bytes() == (here / "right.png").read_bytes()


@pytest.mark.e2e
@pytest.mark.skipif(os.name != "posix", reason="a pipe as a shell makes it")
@pytest.mark.parametrize("arguments", [("metrics", "list"), ("upscale", "--help")], ids=" ".join)
def test_a_reader_that_has_gone_is_no_fault(arguments: tuple[str, ...], here: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = run(*arguments, cwd=here, stdout=write)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == b""


@pytest.mark.e2e
@pytest.mark.skipif(os.name != "posix", reason="HOME is a variable there")
@pytest.mark.parametrize("home", [None, "", "/nowhere/at/all", "/dev/null"])
def test_any_home_will_do(home: str | None, here: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("HOME", "XDG_CACHE_HOME")}
    if home is not None:
        environment["HOME"] = home
    for arguments in (
        ("upscale", "é×.png", "-m", "tiny.onnx", "--overwrite"),
        ("doctor",),
        ("models", "list"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "wildsr", *arguments],
            cwd=here,
            env={**environment, "WILDSR_OFFLINE": "1"},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert b"Traceback" not in done.stderr, (arguments, done.stderr)
        assert done.returncode == 0, (arguments, done.stderr)


@pytest.mark.parametrize("watched", [True, False])
def test_what_a_terminal_would_obey_is_escaped_there_and_raw_for_programs(
    monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    written: list[str] = []
    monkeypatch.setattr(console, "write_data", written.append)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: watched, raising=False)
    console.data_name(Path("a\n\x1b[31m\udce9.png"))
    console.data("two\nlines\tof \x1b]0;title\x07")
    if watched:
        assert written == ["a\\n\\x1b[31m\\xe9.png\n", "two\nlines\tof \\x1b]0;title\\x07\n"]
    else:
        assert written == ["a\n\x1b[31m\udce9.png\n", "two\nlines\tof \x1b]0;title\x07\n"]
