"""When colours are drawn back to the photo's: by the model where nothing is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from wildsr.engine import Settings, Upscaler
from wildsr.engine.colour_fix import fix_colour
from wildsr.models import CATALOG, COMPACT_MODEL, Model, ModelSpec


def told(model: Model, *, drifts: bool) -> Model:
    return replace(model, spec=replace(model.spec, drifts=drifts))


@pytest.mark.parametrize("drifts", [True, False])
@pytest.mark.parametrize("asked", [True, False, None])
def test_the_model_decides_where_nothing_is_asked_for(rrdb: Model, drifts: bool, asked: bool | None) -> None:
    settings = Settings(color_fix=asked, precision="fp32", threads=1)
    upscaler = Upscaler(told(rrdb, drifts=drifts), settings)
    assert upscaler.settings.color_fix is (drifts if asked is None else asked)


def test_of_two_fused_models_one_that_drifts_is_enough(rrdb: Model, compact: Model) -> None:
    settings = Settings(precision="fp32", threads=1)
    one = told(rrdb, drifts=False)
    assert Upscaler(one, settings, fuse_with=told(compact, drifts=True)).settings.color_fix is True
    assert Upscaler(one, settings, fuse_with=told(compact, drifts=False)).settings.color_fix is False


def test_what_a_file_says_of_drift_is_read_and_older_files_say_it_may() -> None:
    assert CATALOG[COMPACT_MODEL].spec.drifts is False
    spec = ModelSpec(id="x", architecture="rrdb", drifts=False)
    assert ModelSpec.from_json(spec.to_json()) == spec
    older = spec.to_json().replace('"drifts": false, ', "")
    assert "drifts" not in older
    assert ModelSpec.from_json(older).drifts is True


def test_colour_noise_that_a_network_took_away_comes_back_with_the_fix() -> None:
    """Why a model that keeps colours is better off without: of the blotches a good part is drawn back."""
    rng = np.random.default_rng(0)
    blotches = np.repeat(np.repeat(rng.normal(0, 8 / 255, (12, 12, 3)), 4, axis=0), 4, axis=1)
    lr = np.clip(0.5 + blotches, 0, 1).astype(np.float32)
    clean = np.full((192, 192, 3), 0.5, np.float32)
    fixed, drift = fix_colour(clean.copy(), lr, scale=4, apply=True)
    assert fixed.std() > 0.5 * lr.std()
    assert drift.after < drift.before
    kept, drift = fix_colour(clean.copy(), lr, scale=4, apply=False)
    assert np.array_equal(kept, clean)
    assert drift.after == drift.before
