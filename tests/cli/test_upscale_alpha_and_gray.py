"""Transparency into formats that have none, and gray photos that stay gray in every format."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.invoke import invoke
from tests.engine.tiny import save, tiny_compact
from wildsr import imaging
from wildsr.engine import Settings, Size, Upscaler
from wildsr.errors import OutputError, UsageError
from wildsr.imaging import Picture, WriteOptions, background_named
from wildsr.models import ModelSpec, load_model
from wildsr.models.onnx_file import embed_spec


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = ModelSpec(id="tiny", architecture="graph", scale=4, halo=6, halo_exact=6)
    return save(embed_spec(tiny_compact(), spec), tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path.parent / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    return tmp_path


def shades(width: int = 40, height: int = 30) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(4).normal(0, 8, (height, width))
    return np.clip(40 + 4 * x + 2 * y + noise, 0, 255).astype(np.uint8)


def rgba(alpha: np.ndarray) -> Image.Image:
    gray = shades()
    return Image.fromarray(np.dstack([gray, gray[::-1], 255 - gray, alpha]).astype(np.uint8))


def noted(model: Path, *arguments: str) -> dict[str, list[str]]:
    done = invoke("upscale", "a.png", "-m", model, "--json", "--overwrite", *arguments)
    assert done.code == 0, done.err
    (result,) = json.loads(done.out)["results"]
    return {"notes": result["notes"], "dropped": result["dropped"]}


@pytest.mark.parametrize("kind", ["RGBA", "LA", "trns"])
def test_opaque_alpha_becomes_a_jpeg_without_a_word(kind: str, here: Path, model: Path) -> None:
    if kind == "trns":
        Image.fromarray(np.dstack([shades()] * 2 + [shades()[::-1]])).save("a.png", transparency=(1, 2, 3))
    else:
        rgba(np.full((30, 40), 255)).convert(kind).save("a.png")
    for background in ("white", "none"):
        said = noted(model, "-o", "a.jpg", "--background", background)
        assert said == {"notes": [], "dropped": []}
    with Image.open("a.jpg") as image:
        assert image.size == (160, 120)
    rgba(np.full((30, 40), 255)).convert("RGB").save("a.png")
    if kind == "RGBA":
        noted(model, "-o", "plain.jpg")
        assert np.array_equal(np.asarray(Image.open("plain.jpg")), np.asarray(Image.open("a.jpg")))


def test_transparency_is_blended_onto_the_background_and_said(here: Path, model: Path) -> None:
    alpha = np.full((30, 40), 255)
    alpha[:, 20:] = 0
    rgba(alpha).save("a.png")
    for options, colour, name in (
        ((), 255, "white"),
        (("--background", "black"), 0, "black"),
        (("--background", "#404040"), 64, "#404040"),
    ):
        said = noted(model, "-o", "a.jpg", *options)
        assert said["dropped"] == [f"transparency (blended onto {name})"]
        with Image.open("a.jpg") as image:
            assert np.abs(np.asarray(image)[:, 130:].astype(int) - colour).max() <= 4
    talk = invoke("upscale", "a.png", "-m", model, "-o", "a.jpg", "--overwrite")
    assert "transparency (blended onto white)" in talk.err
    assert noted(model, "-o", "b.png")["dropped"] == []
    with Image.open("b.png") as image:
        assert image.mode == "RGBA"


def test_transparency_is_refused_with_the_hint(here: Path, model: Path) -> None:
    rgba(np.full((30, 40), 100)).save("a.png")
    done = invoke("upscale", "a.png", "-m", model, "-o", "a.jpg", "--background", "none")
    assert done.code == 1
    assert "can't hold transparency" in done.err
    assert "--background white" in done.err
    assert not Path("a.jpg").exists()
    planned = invoke("upscale", "a.png", "-m", model, "-o", "a.jpg", "--dry-run")
    assert planned.code == 0
    refused = invoke("upscale", "a.png", "-m", model, "-o", "a.jpg", "--dry-run", "--background", "none")
    assert refused.code == 1
    picture = imaging.read("a.png")
    with pytest.raises(OutputError, match="transparency"):
        imaging.write(picture, "a.jpg")


def test_a_background_that_is_no_colour_is_a_usage_error(here: Path, model: Path) -> None:
    rgba(np.full((30, 40), 100)).save("a.png")
    done = invoke("upscale", "a.png", "-m", model, "--background", "vanilla")
    assert done.code == 2
    assert "'vanilla'" in done.err
    assert background_named("Rebeccapurple") == (0x66 / 255, 0x33 / 255, 0x99 / 255)
    assert background_named("none") is None
    with pytest.raises(UsageError):
        background_named("")


def test_the_library_leaves_opaque_alpha_out_too(here: Path) -> None:
    rgb = np.repeat(shades()[..., None] / np.float32(255), 3, axis=2).astype(np.float32)
    report = imaging.write(Picture(rgb=rgb, alpha=np.ones((30, 40), np.float32)), "a.jpg")
    assert report.dropped == ()


def parted(path: Path) -> int:
    """Return the largest difference between channels, in samples of the file's depth."""
    samples = imaging.open_source(path).samples[..., :3].astype(int)
    return int((samples.max(axis=2) - samples.min(axis=2)).max()) if samples.shape[2] == 3 else 0


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "tif", "avif"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("rgb.png", ()),
        ("rgb.png", ("-s", "2.7")),
        ("rgb.png", ("-s", "6", "--no-color-fix")),
        ("rgb.jpg", ()),
        ("rgba.png", ("-s", "3")),
        ("palette.gif", ()),
        ("gray.png", ("-s", "3")),
    ],
    ids=str,
)
def test_gray_stays_gray(
    kind: str, extension: str, options: tuple[str, ...], here: Path, model: Path
) -> None:
    gray = shades()
    rgb = Image.fromarray(np.dstack([gray] * 3))
    alpha = Image.fromarray(np.where(gray > 100, 255, 128).astype(np.uint8))
    name, _, ending = kind.partition(".")
    path = Path(f"a.{ending}")
    if name == "rgba":
        rgb.putalpha(alpha)
        rgb.save(path)
    elif name == "gray":
        Image.fromarray(gray).save(path)
    else:
        rgb.save(path, **({"quality": 90} if ending == "jpg" else {}))
    done = invoke("upscale", path, "-m", model, "-o", f"out.{extension}", *options)
    assert done.code == 0, done.err
    assert parted(Path(f"out.{extension}")) == 0


def test_a_network_does_part_the_channels_of_a_gray_photo(here: Path, model: Path) -> None:
    """What the test above would not see if the tiny network kept gray by itself."""
    network = Upscaler(load_model(model), Settings(color_fix=False))
    gray = np.repeat(shades()[..., None] / np.float32(255), 3, axis=2).astype(np.float32)
    almost = gray.copy()
    almost[0, 0, 0] = 1 - almost[0, 0, 0]
    for rgb, limit in ((gray, 0.0), (almost, None)):
        sr = network(Picture(rgb=rgb), Size(scale=3)).rgb[40:]
        difference = float((sr.max(axis=2) - sr.min(axis=2)).max())
        assert difference == limit if limit is not None else difference > 0.01


def test_sixteen_bit_gray_in_avif_is_within_a_step(here: Path) -> None:
    """libheif's decoder rounds green apart by a step or two of twelve bits; the file's own chroma is neutral."""
    rgb = np.repeat(shades()[..., None] / np.float32(255), 3, axis=2).astype(np.float32)
    imaging.write(Picture(rgb=rgb, depth=16), "a.avif")
    assert parted(Path("a.avif")) <= 32


def test_a_quality_asked_for_is_kept(here: Path) -> None:
    rgb = np.repeat(shades(400, 300)[..., None] / np.float32(255), 3, axis=2).astype(np.float32)
    lossless = imaging.write(Picture(rgb=rgb), "a.webp").bytes
    assert imaging.write(Picture(rgb=rgb), "b.webp", options=WriteOptions(quality=60)).bytes < lossless / 2
