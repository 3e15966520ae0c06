"""Who says how many processes train: the settings, or torchrun."""

import pytest

pytest.importorskip("torch", reason="needs the extra train")

from wildsr.errors import UsageError
from wildsr.training.hardware import Processes, chosen_processes, is_first_process
from wildsr.training.session import open_fabric
from wildsr.training.settings import RunSettings


@pytest.fixture
def torchrun(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The second of the processes of the second of three machines with two each."""
    for name, value in {
        "TORCHELASTIC_RUN_ID": "none", "LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "6",
        "RANK": "3", "LOCAL_RANK": "1", "GROUP_RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_without_torchrun_the_settings_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("RANK", "3")  # of something else
    found = chosen_processes(RunSettings(devices=3))
    assert found == Processes(devices=3, machines=1, started=False)
    assert is_first_process()


@pytest.mark.parametrize("devices", [1, 2])
def test_torchrun_says_it(devices: int, torchrun: pytest.MonkeyPatch) -> None:
    settings = RunSettings(devices=devices, device="cpu")
    assert chosen_processes(settings) == Processes(devices=2, machines=3, started=True)
    assert not is_first_process()
    fabric = open_fabric(settings)
    assert (fabric.world_size, fabric.global_rank, fabric.local_rank, fabric.node_rank) == (6, 3, 1, 1)
    torchrun.setenv("RANK", "0")
    assert is_first_process()


def test_settings_that_say_otherwise_and_machines_that_differ_are_refused(
    torchrun: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match=r"run\.devices is 3, and torchrun has started 2 processes"):
        chosen_processes(RunSettings(devices=3))
    torchrun.setenv("WORLD_SIZE", "5")
    with pytest.raises(UsageError, match="5 in all; every machine needs as many"):
        chosen_processes(RunSettings())
