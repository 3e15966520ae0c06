"""What is fastest is found by measuring (here by a made-up clock), remembered for this machine, and used by `auto`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.cli.invoke import invoke
from wildsr.engine import Settings, Upscaler, backends, memory, tuning
from wildsr.engine.backends import RUNTIMES, Execution, Precision, Runtime, resolve
from wildsr.errors import BackendError, UsageError
from wildsr.imaging import FloatArray
from wildsr.models import Model
from wildsr.models.tuned import Tuned, remember, this_machine, tuned, tuning_file

FOUND = Tuned(
    backend="onnxruntime",
    precision="fp32",
    threads=1,
    tile_pixels=40_000,
    seconds_per_megapixel=3.0,
    machine=this_machine(),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Machine:
    """Runtimes that take the time their cost says, on a clock of their own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ran: list[tuple[str, str, int | None, int]] = []
        self.runtimes: dict[str, Runtime] = {}

    def clock(self) -> float:
        return self.now

    def runtime(
        self, name: str, cost: Callable[[Precision, int, int], float], *precisions: Precision
    ) -> Runtime:
        machine = self

        class Fake:
            scale, bytes_per_pixel = 4, 1000

            def __init__(self, model: Model, execution: Execution) -> None:
                self.execution, self.precision = execution, execution.precision
                self.threads = execution.threads or 4

            def run(self, tile: FloatArray) -> FloatArray:
                side = tile.shape[2]
                machine.ran.append((name, self.precision, self.execution.threads, side))
                machine.now += cost(self.precision, self.threads, side)
                return np.zeros((1, 3, 4 * side, 4 * side), np.float32)

        return Runtime(name=name, devices=("cpu",), precisions=lambda: precisions, open=Fake)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Four cores; `slow` knows fp32 only, `quick` is fast in bf16, with two threads, up to tiles of 256."""
    made = Machine()

    def quick(precision: Precision, threads: int, side: int) -> float:
        speed = 2e-6 * (0.5 if precision == "bf16" else 1.0) * (1.0 if threads == 2 else 1.3)
        return side**2 * speed * (1.0 if side <= 256 else 3.0)

    slow = made.runtime("slow", lambda p, t, side: side**2 * 5e-6, "fp32")
    made.runtimes |= {"slow": slow, "quick": made.runtime("quick", quick, "bf16", "fp32")}
    for module in (tuning, backends):
        monkeypatch.setattr(module, "RUNTIMES", made.runtimes)
    monkeypatch.setattr(tuning, "cores", lambda: 4)
    return made


def test_the_fastest_combination_is_found_and_remembered(machine: Machine, compact: Model) -> None:
    said: list[str] = []
    found = tuning.tune(compact, say=said.append, clock=machine.clock)
    assert (found.backend, found.precision, found.threads, found.tile_pixels) == ("quick", "bf16", 2, 256**2)
    inner = 256 - 2 * compact.spec.halo
    assert found.seconds_per_megapixel == pytest.approx(1e6 * 256**2 * 1e-6 / inner**2)
    assert tuned(compact) == found
    assert {(name, precision) for name, precision, _, _ in machine.ran} == {
        ("slow", "fp32"),
        ("quick", "bf16"),
        ("quick", "fp32"),
    }
    assert len(said) == 3 + 1 + 5
    assert resolve(models=[compact]) == Execution(backend="quick", device="cpu", precision="bf16", threads=2)


def test_it_stays_within_its_time(machine: Machine, compact: Model) -> None:
    tuning.tune(compact, say=lambda line: None, budget=0.5, clock=machine.clock)
    assert machine.now < 0.6
    machine.ran.clear()
    machine.now = 0.0
    tuning.tune(compact, say=lambda line: None, budget=0.0, clock=machine.clock)
    assert len(machine.ran) == 2  # the first measurement is made in any case


def test_a_runtime_that_fails_is_left_out(machine: Machine, compact: Model) -> None:
    def broken(model: Model, execution: Execution) -> object:
        raise BackendError("no")

    machine.runtimes["quick"] = replace(machine.runtimes["quick"], open=broken)
    assert tuning.tune(compact, say=lambda line: None, clock=machine.clock).backend == "slow"
    machine.runtimes["slow"] = replace(machine.runtimes["slow"], open=broken)
    with pytest.raises(BackendError, match="no"):
        tuning.tune(compact, say=lambda line: None, clock=machine.clock)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ("onnxruntime", 1)),
        ({"threads": 2}, ("onnxruntime", 2)),
        ({"backend": "openvino"}, ("openvino", None)),
        ({"precision": "fp32"}, ("openvino", None)),
    ],
)
def test_auto_uses_it_where_nothing_else_was_asked_for(
    asked: dict[str, str | int], expected: tuple[str, int | None], compact: Model
) -> None:
    remember(compact, FOUND)
    runs = resolve(**asked, models=[compact])  # type: ignore[arg-type]
    assert (runs.backend, runs.threads) == expected


def test_two_models_and_other_machines_are_not_meant(compact: Model, rrdb: Model) -> None:
    remember(compact, FOUND)
    assert resolve(models=[compact, rrdb]).backend == "openvino"
    assert tuned(rrdb) is None
    remember(compact, replace(FOUND, machine="another"))
    assert tuned(compact) is None
    assert resolve(models=[compact]).backend == "openvino"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"backend": 1}', "null"])
def test_a_damaged_record_counts_for_nothing(text: str, compact: Model) -> None:
    remember(compact, FOUND)
    tuning_file(compact).write_text(text)
    assert tuned(compact) is None


def test_weights_do_not_matter_but_the_network_does(compact: Model) -> None:
    network = replace(compact, spec=replace(compact.spec, architecture="compact"))
    remember(network, FOUND)
    assert tuned(replace(network, sha256="1" * 64)) == FOUND
    assert tuned(replace(network, spec=replace(network.spec, arguments={"blocks": 8}))) is None
    remember(compact, FOUND)  # of a graph nothing is known but its content
    assert tuned(replace(compact, sha256="1" * 64)) is None


def test_the_tile_is_used(compact: Model) -> None:
    remember(compact, replace(FOUND, backend="openvino"))
    assert Upscaler(compact).tile_pixels == 40_000
    assert Upscaler(compact, Settings(backend="openvino", max_memory=8.0)).tile_pixels == 40_000
    remember(compact, replace(FOUND, backend="openvino", tile_pixels=100))
    assert Upscaler(compact).tile_pixels == memory.SMALLEST_TILE


def test_the_command(compact: Model, tmp_path: Path) -> None:
    done = invoke("bench", "-m", compact.onnx_path, "--tune", "--json")
    assert done.code == 0, done.err
    assert done.json["backend"] in RUNTIMES
    assert "MP/s" in done.err
    assert list((tmp_path / "cache" / "tuning").iterdir())


@pytest.mark.parametrize("device", ["gpu", "npu"])
def test_other_devices_of_openvino_are_named_where_they_are_missing(device: str, compact: Model) -> None:
    assert resolve(device=device).backend == "openvino"
    with pytest.raises(UsageError, match=f"OpenVINO finds no {device} here"):
        Upscaler(compact, Settings(device=device))
