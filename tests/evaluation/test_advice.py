from pathlib import Path

import pytest
from PIL import Image

from tests.evaluation.test_photo import PHOTOS, found_photo
from wildsr.errors import InputError
from wildsr.evaluation.advice import CLEAN, COMPRESSED, HEAVY, advice_for, advise
from wildsr.evaluation.photo import PhotoFacts
from wildsr.models import CATALOG, COMPACT_MODEL


def facts(
    *,
    noise: float = 0.4,
    blocks: float = 0.0,
    file_quality: int | None = None,
    detail: float = 1.0,
    blur: float = 0.0,
) -> PhotoFacts:
    return PhotoFacts(
        width=640, height=480, noise=noise, blocks=blocks, file_quality=file_quality, detail=detail, blur=blur
    )


def test_suggestions_are_in_the_catalog() -> None:
    assert {CLEAN, COMPRESSED, HEAVY, COMPACT_MODEL} <= set(CATALOG)


@pytest.mark.parametrize(
    ("measured", "model", "downscale"),
    [
        (facts(), CLEAN, None),
        (facts(file_quality=95), CLEAN, None),
        (facts(file_quality=88), COMPRESSED, None),
        (facts(noise=3.0), COMPRESSED, None),
        (facts(noise=9.0), COMPACT_MODEL, None),
        (facts(noise=9.0, file_quality=80), COMPRESSED, None),
        (facts(noise=14.0), HEAVY, None),
        (facts(noise=14.0, file_quality=80), HEAVY, None),
        (facts(detail=0.7, blur=0.6), COMPACT_MODEL, None),
        (facts(blocks=0.65), COMPRESSED, None),
        (facts(blocks=1.2), HEAVY, None),
        (facts(blocks=1.2, file_quality=95), HEAVY, None),
        (facts(file_quality=45), HEAVY, None),
        (facts(detail=0.47, blur=1.0), HEAVY, 0.5),
        (facts(detail=0.34, blur=1.6), HEAVY, pytest.approx(1 / 3)),
        (facts(detail=0.2, blur=2.0), HEAVY, 0.25),
    ],
)
def test_rules(measured: PhotoFacts, model: str, downscale: float | None) -> None:
    advice = advice_for(measured, fetched=lambda name: True)
    assert (advice.model, advice.downscale, advice.fetched) == (model, downscale, True)
    assert advice.reasons[3].startswith(f"{model}: ")


def test_the_model_that_comes_with_wildsr_is_named_where_it_is_there() -> None:
    quick = advice_for(facts(), fetched=lambda name: name == COMPACT_MODEL)
    assert not quick.fetched
    assert quick.reasons[-1].startswith(f"in a hurry: {COMPACT_MODEL}")
    assert quick.reasons[-1].endswith(f"{CLEAN} is not fetched yet (wildsr models pull {CLEAN})")
    noisy = advice_for(facts(noise=14.0), fetched=lambda name: True)
    assert noisy.reasons[-1].endswith("leaves more of noise this strong")
    assert "noise this strong" not in quick.reasons[-1]
    there = advice_for(facts(), fetched=lambda name: True)
    assert "not fetched" not in there.reasons[-1]
    without = advice_for(facts(), fetched=lambda name: False)
    assert not any(COMPACT_MODEL in reason for reason in without.reasons)


def test_reasons_say_what_was_found() -> None:
    noise, jpeg, detail, _ = advice_for(
        facts(noise=5.25, blocks=1.55, file_quality=95, detail=0.5, blur=0.9), fetched=lambda name: False
    ).reasons
    assert noise == "noise: plain to see (σ 5.2 of 255 levels)"
    assert jpeg == "JPEG: saved at quality 95, but its blocks are older, as of quality 30"
    assert "it ends at 50 % of its resolution" in detail
    assert "shrunk to 50 % first" in detail
    assert "4 times faster" in detail
    assert advice_for(facts()).reasons[1] == "JPEG: no trace of it"
    assert advice_for(facts(blocks=0.65)).reasons[1].startswith("JPEG: no JPEG file, but")
    assert advice_for(facts(file_quality=97)).reasons[1] == "JPEG: saved at quality 97, blocks hardly show"
    assert advice_for(facts(detail=0.65, blur=0.7)).reasons[2].startswith("detail: a little soft")


def test_the_size_to_shrink_to() -> None:
    assert advice_for(facts(detail=0.5, blur=0.9)).shrink_to == (320, 240)
    assert advice_for(facts()).shrink_to is None


@pytest.mark.parametrize("name", PHOTOS)
def test_photos_damaged_on_purpose(tmp_path: Path, name: str) -> None:
    whole = Image.open(found_photo(name)).convert("RGB")
    clean = whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.LANCZOS)
    clean.save(tmp_path / "clean.png")
    clean.save(tmp_path / "web.jpg", quality=80)
    clean.save(tmp_path / "bad.jpg", quality=25)
    clean.resize(whole.size, Image.Resampling.BICUBIC).save(tmp_path / "enlarged.png")
    assert advise(tmp_path / "clean.png").model == CLEAN
    assert advise(tmp_path / "web.jpg").model == COMPRESSED
    assert advise(tmp_path / "bad.jpg").model == HEAVY
    enlarged = advise(tmp_path / "enlarged.png")
    assert enlarged.model == HEAVY
    assert enlarged.downscale in {0.5, 0.4}  # a soft photo enlarged twice ends a little below its half


def test_what_cant_be_measured_is_an_error(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    with pytest.raises(InputError, match=r"dot\.png has 1×1 pixels"):
        advise(tmp_path / "dot.png")
    (tmp_path / "empty.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        advise(tmp_path / "empty.jpg")


def test_real_photos_get_an_answer(shared_data: Path) -> None:
    models = {}
    for path in sorted((shared_data / "real" / "RealSRSet").iterdir()):
        models[path.stem] = advise(path).model
    assert len(models) == 20
    # noise of σ 16 without blocks; blocks of quality 46; blur
    assert models["dog"] == HEAVY
    assert models["Lincoln"] == HEAVY
    assert models["frog"] == HEAVY
