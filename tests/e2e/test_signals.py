"""Ctrl-C, SIGTERM and SIGHUP end a batch cleanly wherever they meet it, and the same command takes up the rest."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.e2e.conftest import TIMEOUT, files
from tests.engine.tiny import save, tiny_compact
from wildsr.cli import signals
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
PICTURES = 40
DELAYS = int(os.environ.get("WILDSR_SIGNAL_POINTS", "2"))
"""Random points at which each signal is sent."""


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures in `in`, a tiny model, and what an undisturbed run makes of them in `whole`."""
    folder = tmp_path_factory.mktemp("signals")
    spec = ModelSpec(id="tiny", architecture="graph", scale=2, halo=4, halo_exact=4)
    save(embed_spec(tiny_compact(scale=2, width=4, depth=1), spec), folder / "tiny.onnx")
    dice = np.random.default_rng(0)
    (folder / "in").mkdir()
    for number in range(PICTURES):
        pixels = dice.integers(0, 255, (120, 160 + number, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "in" / f"{number}.png")
    with start(folder, "whole") as run:
        _, said = run.communicate(timeout=TIMEOUT)
    assert run.returncode == 0, said
    return folder


def start(place: Path, out: str, *more: str) -> "subprocess.Popen[bytes]":
    # as from a terminal: what starts in the background ignores Ctrl-C, and under nohup SIGHUP
    enabled = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    )
    up = f"open({_marker(place, out)!r}, 'w').close()"  # before it, signals meet Python's own start
    program = f"{enabled}; {up}; from wildsr.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", program, "upscale", "in", "-o", out, "-m", "tiny.onnx", *more],
        cwd=place,
        env={**os.environ, "WILDSR_OFFLINE": "1", "WILDSR_CACHE": str(place / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _marker(place: Path, out: str) -> str:
    return f"{place / out}.up"


def started(place: Path, out: str, run: "subprocess.Popen[bytes]") -> None:
    """Wait until the program's first line runs."""
    until(lambda: Path(_marker(place, out)).exists(), run)


def until(condition: Callable[[], object], run: "subprocess.Popen[bytes]") -> None:
    while run.poll() is None and not condition():
        time.sleep(0.005)


def made(place: Path, out: str) -> list[Path]:
    return list((place / out).glob("*_x2.png"))


def no_temporaries(place: Path, out: str) -> bool:
    return all(name.endswith("_x2.png") for name in files(place / out)) if (place / out).exists() else True


@pytest.mark.parametrize(
    ("number", "json_asked"),
    [(signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, True)],
    ids=["SIGINT-words", "SIGINT-json", "SIGTERM-words", "SIGHUP-json"],
)
def test_in_the_middle_of_a_batch(number: int, json_asked: bool, place: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    with start(place, out, *(["--json"] if json_asked else [])) as run:
        until(lambda: len(made(place, out)) >= 3, run)
        run.send_signal(number)
        told, said = run.communicate(timeout=TIMEOUT)
    assert run.returncode == 128 + number, said
    assert b"Traceback" not in said
    assert b"interrupted" in said
    count = len(made(place, out))
    assert f"{count} done, 0 already done, 0 failed".encode() in said
    assert 3 <= count < PICTURES
    assert no_temporaries(place, out)
    if json_asked:
        account = json.loads(told)
        assert (len(account["results"]), account["stopped"]) == (count, "interrupted")
    else:
        assert len(told.splitlines()) == count
    with start(place, out) as again:
        _, said = again.communicate(timeout=TIMEOUT)
    assert f"{PICTURES - count} done, {count} already done, 0 failed".encode() in said
    assert files(place / out) == files(place / "whole")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda one: signal.Signals(one).name)
@pytest.mark.parametrize("milliseconds", [20, 300, 700])
def test_in_the_first_second(number: int, milliseconds: int, place: Path, tmp_path: Path) -> None:
    """From imports to the compiled model: a word, an object for who asked for one, and no traceback."""
    out = str(tmp_path / "out")
    with start(place, out, "--json") as run:
        started(place, out, run)
        time.sleep(milliseconds / 1000)
        run.send_signal(number)
        told, said = run.communicate(timeout=TIMEOUT)
    if run.returncode < 0:  # before the first line of the program: as the system ends any process
        assert run.returncode == -number
        return
    if b"Traceback" in said and b"/wildsr/cli/" not in said:  # Python itself was not up yet
        return
    assert run.returncode == 128 + number
    assert b"Traceback" not in said, said.decode()
    assert said.rstrip().endswith(b"interrupted")
    assert json.loads(told)["stopped"] == "interrupted"
    assert no_temporaries(place, out)


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS, ids=lambda one: signal.Signals(one).name)
def test_at_random_points_nothing_is_left_and_the_rest_is_the_same(
    number: int, place: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    dice = random.Random(number)
    for _ in range(DELAYS):
        before = len(made(place, out))
        Path(_marker(place, out)).unlink(missing_ok=True)
        with start(place, out) as run:
            started(place, out, run)
            if dice.random() < 0.8:  # the rest while it starts
                until(lambda count=before: len(made(place, out)) > count, run)  # type: ignore[misc]
            time.sleep(dice.uniform(0, 0.3))
            run.send_signal(number)
            _, said = run.communicate(timeout=TIMEOUT)
        assert run.returncode in (0, 128 + number, -number), said
        assert b"Traceback" not in said or b"/wildsr/cli/" not in said, said.decode()
        assert no_temporaries(place, out)
    with start(place, out) as run:
        _, said = run.communicate(timeout=TIMEOUT)
        assert run.returncode == 0, said
    assert files(place / out) == files(place / "whole")


def test_a_second_signal_ends_at_once() -> None:
    """In a process of its own: a signal that nobody answered would end the whole test run."""
    code = """
import signal
from wildsr.cli import signals
with signals.answered(), signals.patient():
    signal.raise_signal(signal.SIGTERM)
    assert signals.asked()
    assert signals.exit_code() == 128 + signal.SIGTERM
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=TIMEOUT, check=False)
    assert (done.returncode, done.stdout.split()) == (0, [b"interrupted"])


@pytest.mark.parametrize("number", SIGNALS, ids=lambda one: signal.Signals(one).name)
def test_an_import_is_finished_first(number: int, tmp_path: Path) -> None:
    """PyTorch's aborts the process when it is broken off."""
    (tmp_path / "heavy.py").write_text(
        f"import signal, time\nsignal.raise_signal({int(number)})\ntime.sleep(0.2)\ndone = True\n"
    )
    code = """
import signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
from wildsr.cli import signals
with signals.answered():
    try:
        import heavy
        time.sleep(60)
    except KeyboardInterrupt:
        print(sys.modules["heavy"].done, signals.exit_code(), signal.getitimer(signal.ITIMER_REAL)[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        timeout=50,
        check=False,
    )
    assert done.stdout.split() == [b"True", str(128 + number).encode(), b"0.0"], done.stderr


def test_a_finaliser_does_not_swallow_it() -> None:
    """Python prints an exception that it can't raise, and goes on."""
    code = """
import signal, sys, time
from wildsr.cli import signals
class Last:
    def __del__(self):
        signal.raise_signal(15)
with signals.answered():
    try:
        Last()
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", signals.exit_code())
try:
    class Bad:
        def __del__(self):
            raise RuntimeError("told as ever")
    Bad()
finally:
    print(sys.unraisablehook is sys.__unraisablehook__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=50, check=False)
    assert done.stdout.split() == [b"interrupted", b"143", b"True"], done.stderr
    assert done.stderr.count(b"Traceback") == 1
    assert b"told as ever" in done.stderr


def test_the_last_word_is_not_interrupted() -> None:
    """A signal inside an import waits, and the program may have come to its end before it is answered."""
    code = """
import signal, time
from wildsr.cli import signals
with signals.answered():
    try:
        signals._look_again()
        raise SystemExit
    except SystemExit:
        signals.settle()
        time.sleep(0.2)
print("ended", signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, signal.getitimer(signal.ITIMER_REAL)[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=50, check=False)
    assert done.stdout.split() == [b"ended", b"True", b"0.0"], done.stderr


def test_a_second_signal_breaks_an_import_off(tmp_path: Path) -> None:
    (tmp_path / "heavy.py").write_text(
        "import signal, time\nsignal.raise_signal(15)\nsignal.raise_signal(15)\n"
    )
    code = """
from wildsr.cli import signals
with signals.answered():
    try:
        import heavy
    except KeyboardInterrupt:
        print("interrupted")
"""
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, [b"interrupted"])


def test_what_nohup_switched_off_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_came", None)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.answered():
            signal.raise_signal(signal.SIGHUP)
            assert not signals.asked()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.signal(signal.SIGINT, signal.default_int_handler)
