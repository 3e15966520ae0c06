"""The five deepest presets; see `presets.check_preset`."""

from pathlib import Path

import pytest

from tests.checkpoints.presets import HEAVY, check_preset


@pytest.mark.slow
@pytest.mark.parametrize("preset", HEAVY)
def test_deep_presets_train_two_steps_export_and_upscale_as_torch_does(preset: str, tmp_path: Path) -> None:
    check_preset(preset, tmp_path)
