"""The examples of the public names run, and give what they say."""

import doctest
import inspect
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import wildsr
from tests.conftest import REPOSITORY
from tests.engine.tiny import save, tiny_compact
from tests.estimation.pictures import gaussian
from tests.estimation.test_profiling import shot
from tests.test_readme import blocks
from wildsr.degradation import Profile, kernels

WITHOUT_AN_EXAMPLE = {
    "Batch": "returned by upscale_folder",
    "Evaluation": "returned by evaluate",
    "FusionRule": "a record of settings",
    "KernelEstimate": "returned by estimate_kernel",
    "Limits": "a record of settings",
    "Model": "returned by load_model",
    "Outcome": "given by upscale_folder",
    "ProfileSettings": "a record of settings",
    "Report": "returned by upscale_file",
    "Settings": "a record of settings",
    "Size": "a record of settings",
    "WildsrError": "raised by everything",
    "WriteOptions": "a record of settings",
    "__version__": "a text",
    "CATALOG": "a table; its example is in docs/api.md",
}
EXAMPLES = [name for name in wildsr.__all__ if name not in WITHOUT_AN_EXAMPLE]
NEED_FILES_OF_THEIR_OWN = {
    "evaluation.md": "test sets and fetched weights",
    "metrics.md": "fetched parameters",
    "profile-format.md": "a pool of patches",
    "training.md": "photos and an hour",
}
PAGES = [
    page for page in sorted((REPOSITORY / "docs").rglob("*.md")) if page.name not in NEED_FILES_OF_THEIR_OWN
]
PROGRAMS = [
    (page.name, program if "import wildsr" in program else f"import wildsr\n{program}")
    for page in PAGES
    for program in blocks(page.read_text("utf-8"), "python")
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    save(tiny_compact(), folder / "tiny.onnx")
    for name in ("photos", "scans", "originals", "results", "my-photos", "clean-photos"):
        (folder / name).mkdir()
    for number, name in enumerate(
        ("photo.jpg", "IMG_0012.jpg", "scans/1.jpg", "scans/2.jpg", "photos/a.jpg")
    ):
        Image.fromarray(scene(48, 64, seed=number)).save(folder / name, quality=95)
    for number, name in enumerate("ab"):
        hr = Image.fromarray(scene(96, 128, seed=number))
        hr.save(folder / "originals" / f"{name}.png")
        hr.resize((64, 48), Image.Resampling.BICUBIC).resize((128, 96)).save(
            folder / "results" / f"{name}.png"
        )
        hr.save(folder / "clean-photos" / f"{name}.png")
        photo = shot(number, gaussian(3.0, 1.2, 0.6), 2.0)
        Image.fromarray(np.rint(photo * 255).astype(np.uint8)).save(
            folder / "my-photos" / f"{name}.jpg", quality=97
        )
    pool = [kernels.gaussian(17, (v, 2 * v), 0.5, scale=4) for v in (1.0, 3.0)]
    Profile(kernels=np.stack(pool).astype(np.float32)).save(folder / "phone.profile")
    return folder


def scene(height: int, width: int, *, seed: int) -> np.ndarray:
    """Squares that hide each other."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 128, np.uint8)
    for _ in range(400):
        y, x, side = rng.integers(0, height), rng.integers(0, width), int(rng.uniform(0.02, 1) ** -0.8)
        picture[y : y + side, x : x + side] = rng.integers(20, 236, 3)
    return picture


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs(name: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_examples(name, inspect.getdoc(getattr(wildsr, name)) or "", place, monkeypatch)


def test_the_example_of_the_package_runs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_examples("wildsr", wildsr.__doc__ or "", place, monkeypatch)


def run_examples(name: str, text: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what a docstring shows after >>>, with a tiny model in place of the catalog's, and compare the answers."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    monkeypatch.setenv("WILDSR_CACHE", str(place / "cache"))
    text = text.replace('"realsr-df2k-jpeg"', repr(str(place / "tiny.onnx")))
    test = doctest.DocTestParser().get_doctest(text, {"wildsr": wildsr}, name, None, None)
    assert test.examples, f"{name} shows no example"
    said: list[str] = []
    failures, _ = doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=said.append)
    assert not failures, "".join(said)


def test_examples_fail_when_they_are_wrong(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="Expected"):
        run_examples("x", '>>> wildsr.read("photo.jpg").width\n65\n', place, monkeypatch)
    with pytest.raises(AssertionError, match="no example"):
        run_examples("x", "nothing to see", place, monkeypatch)


@pytest.mark.parametrize(("page", "program"), PROGRAMS, ids=lambda value: value.split("\n")[0])
def test_programs_of_the_documentation_run(
    page: str, program: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    monkeypatch.setenv("WILDSR_CACHE", str(place / "cache"))
    for result in ("IMG_0012_x4.png",):
        (place / result).unlink(missing_ok=True)
    exec(compile(program.replace('"realsr-df2k-jpeg"', repr(str(place / "tiny.onnx"))), page, "exec"), {})


def test_names_without_an_example_say_why() -> None:
    assert set(WITHOUT_AN_EXAMPLE) <= set(wildsr.__all__)
    assert len(EXAMPLES) >= 10
    assert len(PROGRAMS) >= 4
