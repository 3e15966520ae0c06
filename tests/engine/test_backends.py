"""The table of runtimes: what it says is what can be chosen, and adding to it is all a new one needs."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.invoke import invoke
from tests.engine.test_guards_and_compose import Fake, nearest
from tests.engine.tiny import save, tiny_compact
from wildsr.engine import Settings, Upscaler, backends
from wildsr.engine.backends import BACKENDS, DEVICES, PRECISIONS, RUNTIMES, Runtime, resolve
from wildsr.engine.resume import journal_settings
from wildsr.engine.settings import TILINGS, Size
from wildsr.errors import UsageError
from wildsr.imaging import WriteOptions
from wildsr.models import Model


def test_choices_are_the_tables() -> None:
    assert BACKENDS == ("auto", "openvino", "onnxruntime")
    assert DEVICES == ("cpu", "gpu", "npu", "cuda", "directml", "coreml")
    assert {name: one.name for name, one in RUNTIMES.items()} == {name: name for name in BACKENDS[1:]}
    for command in ("upscale", "evaluate", "bench"):
        told = invoke(command, "--help").out.replace("\n", "")
        assert "auto|openvino|onnxruntime" in told, command
        assert "cpu|gpu|npu|cuda|directml|coreml" in told, command


@pytest.mark.parametrize("runtime", RUNTIMES.values(), ids=lambda one: one.name)
def test_every_runtime_runs_on_the_devices_it_names(runtime: Runtime) -> None:
    assert "fp32" in runtime.precisions()
    assert set(runtime.precisions()) <= set(PRECISIONS)
    for device in runtime.devices:
        assert resolve(runtime.name, device=device).backend == runtime.name
    for device in set(DEVICES) - set(runtime.devices):
        with pytest.raises(UsageError, match=f"the {runtime.name} backend can't use {device}") as caught:
            resolve(runtime.name, device=device)
        able = "openvino" if device in ("gpu", "npu") else "onnxruntime"
        assert f"--backend {able}" in str(caught.value.hint)


@pytest.mark.parametrize("device", DEVICES)
def test_auto_takes_the_first_that_can_use_the_device(device: str) -> None:
    assert resolve(device=device).backend == (
        "openvino" if device in ("cpu", "gpu", "npu") else "onnxruntime"
    )


def test_a_new_runtime_is_one_line(monkeypatch: pytest.MonkeyPatch, compact: Model) -> None:
    fake = Fake(lambda tile: nearest(nearest(tile)), scale=4)
    runtime = Runtime(name="abacus", devices=("cpu",), precisions=lambda: ("fp32",), open=lambda *_: fake)
    monkeypatch.setitem(RUNTIMES, "abacus", runtime)
    monkeypatch.setattr("wildsr.engine.settings.BACKENDS", ("auto", *RUNTIMES))
    assert Upscaler(compact, Settings(backend="abacus")).execution.backend == "abacus"
    assert backends.open_backend(compact, resolve("abacus")) is fake


@pytest.mark.parametrize(
    ("field", "allowed"),
    [
        ("precision", "auto, fp32, bf16 or int8"),
        ("tiling", "fast or exact"),
        ("backend", "auto, openvino or onnxruntime"),
        ("device", "cpu, gpu, npu, cuda, directml or coreml"),
    ],
)
def test_an_unknown_word_in_settings_names_the_allowed_ones(field: str, allowed: str) -> None:
    with pytest.raises(UsageError, match=f"{field} is 'best'; it must be {allowed}"):
        replace(Settings(), **{field: "best"})


def test_every_account_says_what_runs(compact: Model, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    upscaler = Upscaler(compact, Settings(backend="onnxruntime", precision="bf16"))
    recorded = journal_settings(upscaler, Size(), WriteOptions())
    assert (recorded["backend"], recorded["precision"]) == ("onnxruntime", "fp32")
    assert str(upscaler.execution.note).startswith("onnxruntime has no fast bf16")
    resolved = journal_settings(Upscaler(compact), Size(), WriteOptions())
    assert (resolved["backend"], resolved["device"]) == ("openvino", "cpu")


def test_the_words_of_tiling() -> None:
    assert TILINGS == ("fast", "exact")
    for word in TILINGS:
        assert Settings(tiling=word).tiling == word


def test_bench_and_upscale_refuse_a_backend_that_cannot_use_the_device(tmp_path: Path) -> None:
    model = save(tiny_compact(), tmp_path / "tiny.onnx")
    done = invoke("bench", "-m", model, "--backend", "openvino", "--device", "cuda")
    assert (done.code, done.out) == (2, "")
    assert "the openvino backend can't use cuda; onnxruntime can" in done.err
