"""Every option of `wildsr upscale`, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.invoke import invoke
from tests.e2e.conftest import files, photo, pixels
from tests.engine.tiny import save, tiny_compact
from tests.models.two_ends import save_ends
from wildsr.errors import OutputError
from wildsr.models import CATALOG, COMPACT_MODEL, ModelSpec
from wildsr.models.onnx_file import embed_spec
from wildsr.models.two_ends import DEFAULT_SHARPNESS

TINY = {"arguments": {"blocks": 1, "channels": 8}, "halo": 6, "halo_exact": 6}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = ModelSpec(id="tiny", architecture="graph", scale=4, halo=6, halo_exact=6)
    return save(embed_spec(tiny_compact(), spec), tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, an empty cache, no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path.parent / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "name", "size"),
    [
        (["-s", "2.5"], "a_x2.5.png", (75, 50)),
        (["-s", "1"], "a_x1.png", (30, 20)),
        (["-s", "16"], "a_x16.png", (480, 320)),
        (["--width", "100"], "a_w100.png", (100, 67)),
        (["--max-side", "90"], "a_max90.png", (90, 60)),
        (["-s", "4", "--max-side", "60"], "a_max60.png", (60, 40)),
        (["--suffix", ""], "a.png", (120, 80)),
        (["--suffix", "-große"], "a-große.png", (120, 80)),
        (["-f", "jpg"], "a_x4.jpg", (120, 80)),
        (["-f", ".WEBP"], "a_x4.webp", (120, 80)),
        (["-f", "tiff"], "a_x4.tiff", (120, 80)),
        (["-f", "avif"], "a_x4.avif", (120, 80)),
        (["-o", "new/folder"], "new/folder/a_x4.png", (120, 80)),
        (["-o", "b.jpg"], "b.jpg", (120, 80)),
    ],
)
def test_size_and_name(options: list[str], name: str, size: tuple[int, int], here: Path, model: Path) -> None:
    photo(here / "a.jpg", size=(30, 20))
    done = invoke("upscale", "-i", "a.jpg", "-m", model, *options)
    assert (done.code, done.out) == (0, f"{name}\n"), done.err
    with Image.open(here / name) as image:
        assert image.size == size
    assert set(files(here)) == {"a.jpg", name}


def made(here: Path, model: Path, *options: str) -> np.ndarray:
    done = invoke("upscale", "a.png", "-m", model, "-o", "result.png", "--overwrite", *options)
    assert done.code == 0, done.err
    return pixels(here / "result.png").astype(np.int16)


def test_options_change_pixels_as_they_say(here: Path, model: Path) -> None:
    photo(here / "a.png", size=(90, 60))
    plain = made(here, model)
    bicubic = made(here, model, "--strength", "0")
    half = made(here, model, "--strength", "0.5", "--no-color-fix")
    uncorrected = made(here, model, "--no-color-fix")
    # half way between the two, but for the rounding of three pictures and overshoots clipped before blending
    assert np.abs(half - (bicubic + uncorrected) / 2).max() <= 1
    assert np.abs(plain - uncorrected).max() > 1
    tiled = made(here, model, "--tile", "32", "--no-color-fix")
    assert np.abs(tiled - uncorrected).max() <= 3
    exact = made(here, model, "--tile", "48", "--tiling", "exact", "--no-color-fix")
    assert np.abs(exact - uncorrected).max() <= 1
    assert np.abs(made(here, model, "--ensemble") - plain).max() > 1
    ort = pytest.importorskip("onnxruntime", reason="the ort extra isn't installed")
    assert ort is not None
    other = made(here, model, "--backend", "onnxruntime", "--no-color-fix")
    assert np.abs(other - uncorrected).max() <= 1


@pytest.fixture
def ends(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny network in place of the one that comes with wildsr."""
    spec = replace(CATALOG[COMPACT_MODEL].spec, **TINY)
    folder = save_ends(tmp_path_factory.mktemp("ends"), spec=spec)
    monkeypatch.setitem(CATALOG, COMPACT_MODEL, replace(CATALOG[COMPACT_MODEL], folder=folder))
    return folder


def test_without_a_model_the_one_that_comes_along_runs_at_the_sharpness_asked_for(
    here: Path, ends: Path, model: Path
) -> None:
    photo(here / "a.png", size=(40, 30))
    results = []
    for sharpness in ("0", str(DEFAULT_SHARPNESS), "1", None):
        dial = [] if sharpness is None else ["--sharpness", sharpness]
        done = invoke("upscale", "a.png", "-o", "b.png", "--overwrite", "--no-color-fix", "--json", *dial)
        assert done.code == 0, done.err
        assert (done.json["model"], done.json["sharpness"]) == (
            COMPACT_MODEL,
            float(sharpness or DEFAULT_SHARPNESS),
        )
        assert f"{COMPACT_MODEL}, sharpness {sharpness or DEFAULT_SHARPNESS}, on cpu" in done.err
        results.append(pixels(here / "b.png").astype(np.int16))
    faithful, told, crisp, default = results
    assert np.array_equal(told, default)
    assert np.abs(crisp - faithful).max() > 5
    assert np.abs(told - faithful).mean() < np.abs(crisp - faithful).mean()
    refused = invoke("upscale", "a.png", "-m", model, "--sharpness", "0.5", "-o", "c.png")
    assert refused.code == 2
    assert "the model tiny has no two ends" in refused.err


def test_a_folder_that_was_begun_with_another_model_is_not_mixed(here: Path, ends: Path, model: Path) -> None:
    for name in ("a", "b"):
        photo(here / "in" / f"{name}.png", size=(24, 16))
    assert invoke("upscale", "in", "-o", "out", "-m", model).code == 0
    (here / "out" / "b_x4.png").unlink()
    refused = invoke("upscale", "in", "-o", "out")
    assert refused.code == 2
    assert "model" in refused.err
    assert not (here / "out" / "b_x4.png").exists()
    anew = invoke("upscale", "in", "-o", "out", "--no-resume", "--overwrite")
    assert (anew.code, len(anew.out.splitlines())) == (0, 2), anew.err
    assert f"{COMPACT_MODEL}, sharpness {DEFAULT_SHARPNESS}," in anew.err


def test_two_models_are_fused_in_dark_photos_only(here: Path, model: Path) -> None:
    spec = ModelSpec(id="second", architecture="graph", scale=4, halo=6, halo_exact=6)
    second = save(embed_spec(tiny_compact(seed=9), spec), here / "second.onnx")
    dark = np.random.default_rng(0).integers(0, 50, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(dark).save(here / "dark.png")
    photo(here / "bright.png", size=(30, 20))
    options = ["-m", str(model), "--fuse-with", str(second), "--no-color-fix", "--json"]
    done = invoke("upscale", "dark.png", "bright.png", "-o", "out", *options)
    assert done.code == 0, done.err
    results = done.json["results"]
    assert isinstance(results, list)
    assert [one["fused"] for one in results if isinstance(one, dict)] == [True, False]
    alone = [
        invoke("upscale", "dark.png", "-m", one, "-o", f"{index}.png", "--no-color-fix").code
        for index, one in enumerate((model, second))
    ]
    assert alone == [0, 0]
    one, two = (pixels(here / f"{index}.png").astype(float) for index in range(2))
    seen = np.minimum(one, two) > 0  # where neither was clipped at black
    assert seen.mean() > 0.9
    assert np.abs(pixels(here / "out" / "dark_x4.png") - (one + two) / 2)[seen].max() <= 1


def test_quality_and_metadata(here: Path, model: Path) -> None:
    photo(here / "a.jpg", size=(60, 40))
    exif = Image.Exif()
    exif[0x010F], exif[0x8825] = "Maker", {1: "N", 2: (52.0, 30.0, 0.0)}
    with Image.open(here / "a.jpg") as image:
        image.save(here / "a.jpg", exif=exif)
    sizes = {}
    for quality in ("20", "90"):
        assert (
            invoke("upscale", "a.jpg", "-m", model, "-o", f"q{quality}.jpg", "--quality", quality).code == 0
        )
        sizes[quality] = (here / f"q{quality}.jpg").stat().st_size
    assert sizes["20"] < sizes["90"] / 2
    kept = {}
    for option in ("", "--strip-gps", "--strip-metadata"):
        name = f"m{option}.jpg"
        assert invoke("upscale", "a.jpg", "-m", model, "-o", name, *([option] if option else [])).code == 0
        with Image.open(here / name) as image:
            found = image.getexif()
            kept[option] = (found.get(0x010F), bool(found.get_ifd(0x8825)))
    assert kept == {"": ("Maker", True), "--strip-gps": ("Maker", False), "--strip-metadata": (None, False)}


def test_dry_run_writes_nothing(here: Path, model: Path) -> None:
    photo(here / "in" / "a.png", size=(30, 20))
    photo(here / "in" / "b.png", size=(20, 20))
    done = invoke("upscale", "in", "-o", "out", "-m", model, "--dry-run", "--json")
    assert done.code == 0, done.err
    plans = done.json["plans"]
    assert isinstance(plans, list)
    assert [(one["target"], one["width"], one["height"]) for one in plans if isinstance(one, dict)] == [
        ("out/a_x4.png", 120, 80),
        ("out/b_x4.png", 80, 80),
    ]
    assert not (here / "out").exists()
    (here / "in" / "b.png").write_bytes(b"")
    told = invoke("upscale", "in", "nowhere.png", "-o", "out", "-m", model, "--dry-run")
    assert told.code == 1
    assert told.out.startswith("in/a.png → out/a_x4.png: 120×80, 1 tile, about ")
    assert "will fail: in/b.png: b.png is empty" in told.err
    assert "failed: nowhere.png: does not exist" in told.err
    large = invoke("upscale", "in/a.png", "-o", "a.webp", "-m", model, "-s", "64", "--width", "9")
    assert large.code == 2
    assert "choose one of --scale and --width" in large.err
    assert not (here / "out").exists()


def test_what_a_format_cannot_hold_is_refused_before_it_runs(here: Path, model: Path) -> None:
    photo(here / "a.png", size=(300, 20))
    for options in (["--dry-run"], []):
        done = invoke("upscale", "a.png", "-m", model, "-f", "webp", "-s", "60", *options)
        assert done.code == 1
        assert "16383" in done.err.replace(",", "").replace("\u202f", "")
    assert list(files(here)) == ["a.png"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no input given"),
        (["a.png", "-f", "gif"], "can't write .gif files; possible: png"),
        (["a.png", "-f", ""], "can't write"),
        (["a.png", "-s", "0"], "scale is 0.0"),
        (["a.png", "-s", "nan"], "scale is nan"),
        (["a.png", "-s", "65"], "at most 64"),
        (["a.png", "--width", "0"], "width is 0"),
        (["a.png", "--max-side", "-1"], "max-side is -1"),
        (["a.png", "--strength", "1.1"], "strength is 1.1"),
        (["a.png", "--strength", "nan"], "strength is nan"),
        (["a.png", "--tile", "-5"], "tile is -5"),
        (["a.png", "--threads", "0"], "threads is 0"),
        (["a.png", "--threads", "100000"], "threads is 100000; it must be from 1 to 1024"),
        (["a.png", "-s", "1e-9"], "scale is 1e-09; it must be from 1/1024"),
        (["a.png", "--gamma", "nan", "--fuse-with", "MODEL"], "gamma is nan"),
        (["a.png", "--max-pixels", "-5"], "max-pixels is -5; it must be 1 or more"),
        (["a.png", "--max-memory", "inf"], "max-memory is inf"),
        (["a.png", "--backend", "abacus"], "backend is 'abacus'; it must be auto, openvino or onnxruntime"),
        (["a.png", "--device", "tpu"], "device is 'tpu'; it must be cpu, gpu, npu, cuda, directml or coreml"),
        (["a.png", "--backend", "openvino", "--device", "cuda"], "openvino backend can't use cuda"),
        (["a.png", "--max-memory", "0.1"], "at least 0.5 GB"),
        (["a.png", "--alpha", "nan", "--fuse-with", "MODEL"], "fusion weights"),
        (["a.png", "--suffix", "a/b"], "--suffix a/b"),
        (["a.png", "-o", "x.png", "-f", "jpg"], "contradict each other"),
        (["in", "-o", "x.png"], "names one file"),
        (["a.png", "-o", "a.png"], "would replace the input"),
        (["a.png", "-o", ""], "output name is empty"),
        (["a.png", "-o", "nul\0.png"], "NUL"),
        (["nul\0.png"], "NUL"),
        ([""], "input name is empty"),
        (["in/b.png", "other/b.png", "-o", "out"], "would both become"),
        (["in", "-o", "notes.txt"], "is a file, not a folder"),
        (["a.png", "--tiling", "both"], "--tiling"),
        (["a.png", "--precision", "int4"], "--precision"),
        (["a.png", "--size", "4"], "No such option"),
        (["a.png", "--quality", "101"], "quality"),
    ],
)
def test_wrong_use_is_refused_before_anything_runs(
    arguments: list[str], says: str, here: Path, model: Path
) -> None:
    photo(here / "a.png")
    photo(here / "in" / "b.png")
    photo(here / "in" / "b.jpg")
    photo(here / "other" / "b.png")
    (here / "notes.txt").write_text("text")
    before = files(here)
    arguments = [str(model) if one == "MODEL" else one for one in arguments]
    done = invoke("upscale", "-m", model, *arguments)
    assert says in done.err
    assert (done.code, done.out) == (2, "")
    assert files(here) == before


def test_a_tile_smaller_than_its_context_is_named(here: Path, model: Path) -> None:
    photo(here / "a.png", size=(60, 50))
    done = invoke("upscale", "a.png", "-m", model, "--tile", "8")
    assert (done.code, done.out) == (1, "")
    assert "a tile of 8 LR pixels is too small" in done.err
    assert "hint: use a tile of at least " in done.err
    assert list(files(here)) == ["a.png"]


@pytest.mark.parametrize("where", ["n" * 300, "n" * 300 + ".png", "f/" * 3000])
def test_names_that_are_too_long(where: str, here: Path, model: Path) -> None:
    photo(here / "a.png")
    for arguments in (["-o", where], ["--fuse-with", where], ["-i", where]):
        done = invoke("upscale", "a.png", "-m", model, *arguments)
        assert done.code == 1, arguments[0]
        assert "error: " in done.err or "failed: " in done.err


def test_a_long_stem_is_cut_to_fit(here: Path, model: Path) -> None:
    photo(here / ("ü" * 125 + ".png"))
    done = invoke("upscale", "ü" * 125 + ".png", "-m", model)
    assert done.code == 0, done.err
    assert len(done.out.strip().encode()) <= 255
    assert (here / done.out.strip()).is_file()


def test_a_foreign_result_is_left_alone(here: Path, model: Path) -> None:
    for name in ("a", "b"):
        photo(here / "in" / f"{name}.png")
    (here / "out").mkdir()
    (here / "out" / "a_x4.png").write_bytes(b"precious")
    done = invoke("upscale", "in", "-o", "out", "-m", model, "--json")
    assert done.code == 1
    assert (here / "out" / "a_x4.png").read_bytes() == b"precious"
    assert (here / "out" / "b_x4.png").is_file()
    failed = done.json["failed"]
    assert isinstance(failed, list)
    assert "--overwrite replaces it" in str(failed)
    assert invoke("upscale", "in", "-o", "out", "-m", model, "--overwrite").code == 0
    assert pixels(here / "out" / "a_x4.png").shape == (96, 96, 3)


def test_a_foreign_comparison_is_left_alone(here: Path, model: Path) -> None:
    photo(here / "a.png")
    (here / "a_x4_compare.png").write_bytes(b"precious")
    done = invoke("upscale", "a.png", "-m", model, "--compare", "--json")
    assert done.code == 1
    assert (here / "a_x4_compare.png").read_bytes() == b"precious"
    (result,) = done.json["results"]  # type: ignore[misc]
    assert result["status"] == "done"  # type: ignore[index]
    assert "exists" in str(result["compare_failed"])  # type: ignore[index]
    assert "no before/after picture of a.png" in done.err


def test_a_run_that_stops_midway_tells_what_is_done(
    here: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wildsr.files import Journal

    for name in ("a", "b", "c"):
        photo(here / "in" / f"{name}.png")
    real = Journal.done

    def full(self: Journal, job: object, *, seconds: float) -> None:
        if len(list((here / "out").glob("*.png"))) == 2:
            raise OutputError("can't write the journal: the disk is full", hint="free some space")
        real(self, job, seconds=seconds)  # type: ignore[arg-type]

    monkeypatch.setattr(Journal, "done", full)
    done = invoke("upscale", "in", "-o", "out", "-m", model, "--json")
    assert done.code == 1
    assert done.json["stopped"] == "can't write the journal: the disk is full"
    assert "1 done, 0 already done, 0 failed" in done.err
    monkeypatch.undo()
    monkeypatch.chdir(here)
    resumed = invoke("upscale", "in", "-o", "out", "-m", model)
    assert (resumed.code, sorted(files(here / "out"))) == (0, ["a_x4.png", "b_x4.png", "c_x4.png"])
    assert "2 done, 1 already done, 0 failed" in resumed.err
