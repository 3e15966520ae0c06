"""`wildsr doctor`, `wildsr bench`, `--version` and the help."""

import os
from pathlib import Path

import pytest

from tests.cli.invoke import invoke
from tests.engine.tiny import save, tiny_compact
from wildsr.version import __version__


def test_doctor_says_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "not" / "made" / "yet"))
    facts = invoke("doctor", "--json").json
    assert facts["wildsr"] == __version__
    assert facts["cores"] == os.cpu_count()
    assert facts["native_bf16"] in (True, False)
    assert facts["cached_models"] == []
    assert facts["cache"] == str(tmp_path / "not" / "made" / "yet")
    told = invoke("doctor")
    assert told.code == 0
    assert f"wildsr               {__version__}\n" in told.out
    assert "cached models" in told.out
    assert not (tmp_path / "not").exists()


def test_bench_times_a_model(tmp_path: Path) -> None:
    model = save(tiny_compact(), tmp_path / "tiny.onnx")
    facts = invoke("bench", "-m", model, "-t", "16", "--runs", "1", "--threads", "1", "--json").json
    assert (facts["tile"], facts["threads"], facts["backend"]) == (16, 1, "openvino")
    assert float(str(facts["seconds"])) > 0
    rate = 16 * 16 / float(str(facts["lr_pixels_per_second"]))
    assert rate == pytest.approx(float(str(facts["seconds"])), abs=6e-5)  # seconds are rounded to 4 digits
    told = invoke("bench", "-m", model, "-t", "16", "--runs", "1")
    assert "a 12-MP photo: about " in told.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-t", "4"], "tile is 4"),
        (["--runs", "0"], "runs is 0"),
        (["--threads", "0"], "threads is 0"),
        (["--device", "tpu"], "device is 'tpu'; it must be cpu, gpu, npu, cuda, directml or coreml"),
    ],
)
def test_bench_refuses(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = invoke("bench", "-m", save(tiny_compact(), tmp_path / "tiny.onnx"), *arguments)
    assert done.code == 2
    assert says in done.err


def test_version_and_help() -> None:
    assert invoke("--version").out == f"wildsr {__version__}\n"
    told = invoke("--help")
    assert told.code == 0
    for command in ("upscale", "models", "doctor", "bench"):
        assert command in told.out
