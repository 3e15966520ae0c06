"""Nothing is sent anywhere: what each command looks up, and which files it leaves, stated ones apart."""

import ast
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests
from PIL import Image
from typer.core import TyperGroup
from typer.main import get_command

import wildsr
from tests.conftest import REPOSITORY
from tests.e2e.conftest import TIMEOUT, photo
from tests.e2e.watching import Watched, alone, environment_of, found_in, in_turn, looked_up, watched_place
from tests.estimation.pictures import blurred, gaussian, leaves
from wildsr.cli.main import app
from wildsr.client import Client

pytestmark = pytest.mark.e2e

INDEX = "http://127.0.0.1:9/simple"
"""Where nothing answers; whatever else is asked is recorded."""
THE_INDEX = {"127.0.0.1", "('127.0.0.1', 9)"}
CACHE = "home/.cache/wildsr/*"
"""What the README says of: fetched models, measurements of this machine, judged pictures."""

_SMALL = (
    "network=srvgg-16 data.patch=16 data.batch=1 data.validation_photos=1 data.validation_side=32 "
    "arguments.blocks=1 arguments.channels=8 run.threads=1"
)
_TRAIN: tuple[str, ...] = ("train", "psnr", "--hr", "in", "--degradation", "bicubic", "--steps", "2")
_TRAIN += tuple(word for one in _SMALL.split() for word in ("--set", one))
_ADAPT = ("adapt", "camera", "-o", "mine", "--hr", "camera", "--start", "run", "--profile", "cam.profile")
_SPECTRUM = ("--method", "spectrum")
_STUDY = ("--database", "mine.sqlite")

COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "--help": (("--help",), ()),
    "--version": (("--version",), ()),
    "doctor": (("doctor",), ()),
    "upscale": (("upscale", "in", "-o", "out", "-m", "tiny.onnx"), ("out/*",)),
    "upscale --dry-run": (("upscale", "in", "-o", "none", "-m", "tiny.onnx", "--dry-run"), ()),
    "upscale --backend": (("upscale", "in", "-o", "ort", "-m", "tiny.onnx", "--backend", "onnxruntime"), ("ort/*",)),
    "batch upscale": (("batch", "upscale", "in", "many", "-m", "tiny.onnx", "--dry-run"), ()),
    "batch profile": (("batch", "profile", "in", "many", "--dry-run"), ()),
    "batch degrade": (("batch", "degrade", "in", "many", "--preset", "bicubic", "--dry-run"), ()),
    "batch evaluate": (("batch", "evaluate", "in", "many", "--hr", "in", "--metrics", "psnr", "--dry-run"), ()),
    "bench": (("bench", "-m", "tiny.onnx", "-t", "16", "--runs", "1"), ()),
    "evaluate": (("evaluate", "in", "--hr", "in", "--metrics", "psnr"), (CACHE,)),
    "advise": (("advise", "in"), ()),
    "metrics list": (("metrics", "list"), ()),
    "metrics fit-niqe": (("metrics", "fit-niqe", "sharp", "-o", "niqe.npz", "--sharpness", "0"), ("niqe.npz",)),
    "profile": (("profile", "camera", "-o", "cam.profile", "--html", "c.html", *_SPECTRUM), ("cam.profile", "c.html")),
    "profile show": (("profile", "show", "cam.profile"), ()),
    "profile compare": (("profile", "compare", "cam.profile", "cam.profile"), ()),
    "profile merge": (("profile", "merge", "cam.profile", "cam.profile", "-o", "both.profile"), ("both.profile",)),
    "degrade": (("degrade", "in", "--preset", "bicubic", "-o", "pairs"), ("pairs/*",)),
    "pairs register": (("pairs", "register", "camera/1.png", "dslr.png", "-o", "registered"), ("registered/*",)),
    "train": ((*_TRAIN, "-o", "run"), ("run/*",)),
    "adapt": (_ADAPT, (CACHE,)),
    "reproduce": (("reproduce", "motivation", "--hr", "nowhere", "--test", "nowhere"), ()),
    "models list": (("models", "list"), ()),
    "models info": (("models", "info", "tiny.onnx"), ()),
    "models import": (("models", "import", "tiny.onnx", "-o", "again.onnx"), ("again.onnx",)),
    "models export": (("models", "export", "run", "--to", "pth", "-o", "run.pth"), ("run.pth",)),
    "models quantise": (("models", "quantise", "tiny.onnx", "in"), (CACHE,)),
    "models interpolate": (("models", "interpolate", "run", "run", "-o", "between"), ("between/*",)),
    "models verify": (("models", "verify"), ()),
    "models remove": (("models", "remove", "realsr-df2k"), ()),
    "study create": (("study", "create", "mine", "in", "other", "--protocol", "mor", *_STUDY), ("mine.sqlite*",)),
    "study status": (("study", "status", "mine", *_STUDY), ()),
    "study analyse": (("study", "analyse", "mine", *_STUDY), ()),
    "study export": (("study", "export", "mine", "--json", "mine.json", *_STUDY), ("mine.json",)),
    "study close": (("study", "close", "mine", *_STUDY), ()),
    "study delete": (("study", "delete", "mine", "--yes", *_STUDY), ()),
    "study power": (
        ("study", "power", "--width", "2", "--methods", "2", "--pictures", "2", "--studies", "2", "--most", "8"),
        (),
    ),
}  # fmt: skip
"""What is run, in this order, and the files it may make."""

FAILING = {"adapt": 1, "reproduce": 1, "study analyse": 2}
"""Exit codes that are not 0: the index doesn't answer, there is nothing to reproduce from, nobody has judged."""

FETCHING = ("adapt", "models quantise")
"""What compares pictures by LPIPS, whose parameters are fetched."""

BY_THEMSELVES = {"serve", "study serve", "models pull"}
"""Commands that have a test of their own below."""

RUN_NETWORKS = ("upscale", "upscale --backend", "evaluate", "models quantise")
"""What is tried with --offline's variable too; the others do the same with and without."""


def make_place(folder: Path, tiny: Path, *, camera: bool = False) -> Path:
    """A folder to work in, with pictures and a model."""
    for seed in range(4):
        photo(folder / "in" / f"{seed}.png", seed=seed, size=(64, 64))
        photo(folder / "other" / f"{seed}.png", seed=seed + 9, size=(64, 64))
    shutil.copyfile(tiny, folder / "tiny.onnx")
    if camera:
        photo(folder / "sharp" / "0.png", size=(700, 600))
        (folder / "camera").mkdir()
        for seed in range(2):
            pixels = blurred(leaves(512, 640, seed=seed), gaussian(2.0, 1.0, 0.5))
            Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(folder / "camera" / f"{seed}.png")
        Image.fromarray(np.rint(pixels[3:, 5:] * 230).astype(np.uint8)).save(folder / "dslr.png")
    return watched_place(folder)


@pytest.fixture
def place(tmp_path: Path, tiny: Path) -> Path:
    return make_place(tmp_path, tiny)


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> dict[str, Watched]:
    """Every command, one after another."""
    pytest.importorskip("torch", reason="the train extra isn't installed")
    folder = make_place(tmp_path_factory.mktemp("online"), tiny, camera=True)
    return in_turn(folder, {name: words for name, (words, _) in COMMANDS.items()}, PIP_INDEX_URL=INDEX)


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> dict[str, Watched]:
    """What runs networks, one after another."""
    folder = make_place(tmp_path_factory.mktemp("offline"), tiny)
    return in_turn(folder, {name: COMMANDS[name][0] for name in RUN_NETWORKS}, WILDSR_OFFLINE="1")


def names_of(group: TyperGroup, name: str = "") -> set[str]:
    """Return the full names of a group's commands."""
    found = set[str]()
    for part, one in group.commands.items():
        full = f"{name} {part}".strip()
        found |= names_of(one, full) if isinstance(one, TyperGroup) else {full}
    return found


def beyond(made: frozenset[str], stated: tuple[str, ...]) -> set[str]:
    """Return the files that nobody was told of."""
    return {name for name in made if not any(fnmatchcase(name, pattern) for pattern in stated)}


def test_every_command_is_watched() -> None:
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    seen = {" ".join(words[: len(name.split())]) for name, (words, _) in COMMANDS.items()}
    assert names_of(program) - seen - BY_THEMSELVES == set()


@pytest.mark.train
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_looks_anything_up_or_leaves_what_it_does_not_say(
    command: str, online: dict[str, Watched]
) -> None:
    watched = online[command]
    assert "Traceback" not in watched.said, watched.said
    assert watched.code == FAILING.get(command, 0), watched.said
    assert {address for _, address in watched.looked_up} <= (THE_INDEX if command in FETCHING else set())
    assert beyond(watched.made, COMMANDS[command][1]) == set()
    for pattern in COMMANDS[command][1]:  # else the pattern allows what is never made
        assert pattern == CACHE or any(fnmatchcase(name, pattern) for name in watched.made), pattern


@pytest.mark.parametrize("command", RUN_NETWORKS)
def test_offline_neither(command: str, offline: dict[str, Watched]) -> None:
    watched = offline[command]
    assert watched.code == 0, watched.said
    assert watched.looked_up == []
    assert beyond(watched.made, COMMANDS[command][1]) == set()


def test_fetching_asks_the_package_index_alone(place: Path) -> None:
    """So the recorder sees what is looked up."""
    pulling = ("-m", "wildsr", "models", "pull", "realsr-df2k")
    watched = alone(place, *pulling, PIP_INDEX_URL=INDEX)
    assert watched.code == 1, watched.said
    assert watched.looked_up
    assert {address for _, address in watched.looked_up} <= THE_INDEX
    assert beyond(watched.made, (CACHE,)) == set()
    refused = alone(place, *pulling, PIP_INDEX_URL=INDEX, WILDSR_OFFLINE="1")
    assert refused.code == 1
    assert refused.looked_up == []


def test_files_in_the_home_and_the_temporary_folder_are_seen(place: Path) -> None:
    for name in ("intel/openvino_ga_cid", ".cache/wildsr/kept"):
        (place / "home" / name).parent.mkdir(parents=True, exist_ok=True)
    before = found_in(place)
    (place / "home" / "intel" / "openvino_ga_cid").write_text("id")
    (place / "home" / ".cache" / "wildsr" / "kept").write_text("")
    (place / "tmp" / "left").write_text("")
    made = found_in(place) - before
    assert beyond(made, (CACHE,)) == {"home/intel/openvino_ga_cid", "tmp/left"}


def test_the_demo_looks_nothing_up_for_a_photo_of_yours(place: Path) -> None:
    """It starts the program as people do, not as one command of many in a process."""
    (place / "scripts").mkdir()
    shutil.copyfile(REPOSITORY / "scripts" / "demo.py", place / "scripts" / "demo.py")
    watched = alone(place, "scripts/demo.py", "in/0.png", PIP_INDEX_URL=INDEX)
    assert watched.code == 0, watched.said
    assert watched.looked_up == []
    assert watched.made == {"demo/0_x4.png", "demo/0_x4_compare.png"}


@contextmanager
def serving(place: Path, *command: str) -> Iterator[str]:
    """Run a server until the block ends, then ask it to end; gives the line in which it says where it is."""
    server = subprocess.Popen(
        [sys.executable, "-m", "wildsr", *command, "--port", "0"],
        cwd=place,
        env=environment_of(place, PIP_INDEX_URL=INDEX),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=TIMEOUT)
        assert server.returncode in (0, 128 + signal.SIGTERM)
    finally:
        server.kill()
        server.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="ended by a signal")
def test_a_service_at_work_talks_to_its_own_machine_alone(place: Path) -> None:
    pytest.importorskip("fastapi", reason="the serve extra isn't installed")
    before = found_in(place)
    with serving(place, "serve", "-m", "tiny.onnx", "--folder", "kept", "--threads", "1") as address:
        client = Client(address)
        (job,) = client.upscale([place / "in" / "0.png"])
        deadline = time.monotonic() + 3 * TIMEOUT
        while not job.ended and time.monotonic() < deadline:
            time.sleep(0.2)
            job = client.job(job)
        made = client.download(job, place / "fetched.png")
    assert made.stat().st_size > 1000
    assert {address for _, address in looked_up(place)} <= {"127.0.0.1"}
    assert beyond(found_in(place) - before, ("kept/*", "fetched.png", CACHE)) == set()


def test_a_batch_at_work_talks_to_its_own_machine_alone(place: Path) -> None:
    """Ray would ask clouds' metadata addresses, and leave a token in the home folder."""
    pytest.importorskip("ray", reason="needs the extra batch")
    command = ("batch", "in", "many", "-m", "tiny.onnx", "--precision", "fp32", "--workers", "1")
    told = alone(place, "-m", "wildsr", *command)
    assert told.code == 0, told.said
    assert sum(name.startswith("many/") for name in told.made) == 4 + 1  # pictures and manifest
    assert beyond(told.made, ("many/*", CACHE)) == set()
    own = {"0.0.0.0", *(address.address for card in psutil.net_if_addrs().values() for address in card)}
    assert {name.removeprefix("('").split("'")[0] for _, name in told.looked_up} - own == set()


@pytest.mark.skipif(sys.platform == "win32", reason="ended by a signal")
def test_the_pages_of_a_study_talk_to_their_own_machine_alone(place: Path) -> None:
    pytest.importorskip("fastapi", reason="the serve extra isn't installed")
    in_turn(place, {"study create": COMMANDS["study create"][0]})
    before = found_in(place)
    with serving(place, "study", "serve", *_STUDY) as line:
        page = requests.get(line.split("\t")[1], timeout=TIMEOUT)
    assert page.status_code == 200
    assert {address for _, address in looked_up(place)} <= {"127.0.0.1"}
    assert beyond(found_in(place) - before, ("mine.sqlite*",)) == set()


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
        text = path.read_text(encoding="utf-8")
        if "openvino" not in text and "onnxruntime" not in text:  # most, and parsing takes seconds
            continue
        tree = ast.parse(text)
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
    trace, before = place / "trace", found_in(place)
    command = [sys.executable, "-m", "wildsr", "upscale", "in", "-o", "out", "-m", "tiny.onnx"]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=socket,connect", "-o", trace, *command, "--backend", backend],
        cwd=place,
        env=environment_of(place),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    if b"ptrace" in done.stderr.lower():
        pytest.skip("tracing isn't allowed here")
    assert done.returncode == 0, done.stderr
    assert [line for line in trace.read_text().splitlines() if "AF_INET" in line] == []
    assert beyond(found_in(place) - before, ("out/*", "trace")) == set()
