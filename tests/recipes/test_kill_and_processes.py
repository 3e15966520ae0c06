"""Kill -9 in the middle of a step, and two processes over gloo: in real processes."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wildsr.checkpoints import load_network
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
from wildsr.training.config import configure, to_toml

PROGRAM = """
import sys
from pathlib import Path
from wildsr.recipes.psnr import PsnrConfig, run
from wildsr.training.config import from_toml
from wildsr.training.session import say_on_stderr
if __name__ == "__main__":
    config = from_toml(PsnrConfig, Path(sys.argv[1]).read_text())
    run(config, Path(sys.argv[2]), resume=sys.argv[3] == "resume", say=say_on_stderr)
"""


def start(config: PsnrConfig, run: Path, how: str) -> "subprocess.Popen[str]":
    program, settings = run.parent / "program.py", run.parent / "config.toml"
    program.write_text(PROGRAM)
    settings.write_text(to_toml(config))
    return subprocess.Popen(
        [sys.executable, str(program), str(settings), str(run), how],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )


def torchrun(processes: int, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", str(processes), "-m", "wildsr", "train", "psnr", *options),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )


def finish(process: "subprocess.Popen[str]") -> str:
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    return errors


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.train
def test_killed_at_a_random_step_it_ends_bit_for_bit_as_if_undisturbed(
    tiny: PsnrConfig, tmp_path: Path
) -> None:
    config = configure(
        tiny, sets=["run.steps=30", "run.checkpoint_every=7", "run.threads=2", "run.validate_every=15"]
    )
    finish(start(config, tmp_path / "whole", "start"))
    at = random.Random(os.getpid()).randint(3, 27)
    process = start(config, tmp_path / "killed", "start")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"step {at}/"):
            process.kill()
            break
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"not killed at step {at}"
    assert not (tmp_path / "killed" / "model.onnx").exists()
    finish(start(config, tmp_path / "killed", "resume" if checkpoints_in(tmp_path / "killed") else "start"))
    whole, killed = (load_checkpoint(checkpoints_in(tmp_path / name)[-1]) for name in ("whole", "killed"))
    assert whole.step == killed.step == 30
    assert whole.tensors.keys() == killed.tensors.keys()
    different = [
        name for name, tensor in whole.tensors.items() if not torch.equal(tensor, killed.tensors[name])
    ]
    assert not different, f"killed at step {at}"


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.train
def test_a_polite_kill_saves_and_says_so(tiny: PsnrConfig, tmp_path: Path) -> None:
    config = configure(
        tiny, sets=["run.steps=100000", "run.checkpoint_every=100000", "data.validation_photos=0"]
    )
    process = start(config, tmp_path / "run", "start")
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("step 5/"):
                process.terminate()
                break
        _, rest = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "stopped at step" in rest
    assert load_checkpoint(checkpoints_in(tmp_path / "run")[-1]).step >= 5


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.train
@pytest.mark.timeout(500)
def test_two_processes_train_as_one_with_twice_the_batch(tiny: PsnrConfig, tmp_path: Path) -> None:
    """Data-parallel over gloo: the mean of two gradients is the gradient of the mean, whoever starts the processes."""
    sets = ["run.steps=4", "run.checkpoint_every=4", "run.validate_every=4"]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    finish(start(configure(tiny, sets=[*sets, "data.batch=4"]), tmp_path / "one" / "run", "start"))
    errors = finish(
        start(
            configure(tiny, sets=[*sets, "data.batch=2", "run.devices=2"]), tmp_path / "two" / "run", "start"
        )
    )
    assert "2 processes" in errors
    assert errors.count("done: wildsr upscale") == 1
    one, two = (load_network(tmp_path / name / "run").network.state_dict() for name in ("one", "two"))
    for name, tensor in one.items():
        assert torch.allclose(tensor, two[name], atol=2e-5), name
    start_weights = load_checkpoint(checkpoints_in(tmp_path / "two" / "run")[-1])
    assert start_weights.context.processes == 2
    (tmp_path / "config.toml").write_text(to_toml(configure(tiny, sets=[*sets, "data.batch=2"])))
    done = torchrun(2, "--config", str(tmp_path / "config.toml"), "-o", str(tmp_path / "three"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'three'}\n"
    assert "2 processes" in done.stderr
    assert done.stderr.count("done: wildsr upscale") == 1
    three = load_network(tmp_path / "three").network.state_dict()
    different = [name for name, tensor in two.items() if not torch.equal(tensor, three[name])]
    assert not different
