"""From a name or a path to a model that is ready to run."""

import difflib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from wildsr.assets import Progress, cache_dir, fetch_all
from wildsr.assets import is_cached as is_asset_cached
from wildsr.assets.files import atomic_file, sha256_of
from wildsr.errors import ModelError
from wildsr.models.catalog import CATALOG
from wildsr.models.ncnn import IMPORTER_VERSION, import_ncnn
from wildsr.models.onnx_file import embed_spec, load_checked, read_onnx
from wildsr.models.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model file and what it says about itself."""

    spec: ModelSpec
    """Scale, halo, licence, …"""

    onnx_path: Path
    """The graph that runs."""

    sha256: str
    """Digest of the file the model came from."""


def load_model(name: str | Path, *, offline: bool | None = None, progress: Progress | None = None) -> Model:
    """Return a model: fetched, imported and checked where needed, from the cache where possible.

    Args:
        name: Name in the catalog, an `.onnx` file, an ncnn `.param` file with its `.bin` beside it, or a folder that
            holds `model.onnx` (a training run).
        offline: True never fetches; None follows the environment.
        progress: Told of downloads.

    Raises:
        ModelError: Unknown name, or a file that can't be trusted or understood.
        AssetError: Weights that can't be had.
    """
    if str(name) in CATALOG:
        entry = CATALOG[str(name)]
        param, weights = fetch_all([entry.param, entry.weights], progress=progress, offline=offline)
        return _imported(param, weights, entry.spec, f"{entry.param.sha256}{entry.weights.sha256}")
    path = Path(name)
    if os.path.isdir(path):  # noqa: PTH112 -- unlike pathlib's, False for a name that can't be
        path = path / "model.onnx"
        if not path.is_file():
            raise ModelError(
                f"the folder {name} holds no model.onnx", hint="name the folder of a finished training"
            )
    if path.suffix == ".onnx" and os.path.isfile(path):  # noqa: PTH113 -- the same
        return Model(spec=read_onnx(path), onnx_path=path, sha256=sha256_of(path))
    if path.suffix == ".param" and os.path.isfile(path):  # noqa: PTH113 -- the same
        weights = path.with_suffix(".bin")
        if not weights.is_file():
            raise ModelError(
                f"{path} has no {weights.name} beside it",
                hint="ncnn models are two files; keep them together",
            )
        return _imported(path, weights, None, f"{sha256_of(path)}{sha256_of(weights)}")
    raise _unknown(str(name))


def import_model(path: Path, target: Path) -> ModelSpec:
    """Convert a `.param` or `.onnx` file into an ONNX file with its ModelSpec inside; return the ModelSpec.

    Raises:
        ModelError: If the file can't be trusted or understood.
    """
    model = load_model(path, offline=True)
    graph = embed_spec(load_checked(model.onnx_path), model.spec)
    with atomic_file(target) as out:
        out.write(graph.SerializeToString())
    return model.spec


def is_cached(name: str) -> bool:
    """Whether a model of the catalog can be loaded offline."""
    entry = CATALOG[name]
    return is_asset_cached(entry.param) and is_asset_cached(entry.weights)


def _imported(param: Path, weights: Path, spec: ModelSpec | None, content: str) -> Model:
    """Return an ncnn model as ONNX, converted once."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    described = spec.to_json() if spec else ""
    key = hashlib.sha256(f"{IMPORTER_VERSION}{digest}{described}".encode()).hexdigest()[:24]
    target = cache_dir() / "models" / f"{spec.id if spec else param.stem}-{key}.onnx"
    if target.is_file():
        return Model(spec=read_onnx(target), onnx_path=target, sha256=digest)
    model, found = import_ncnn(param, weights, spec)
    with atomic_file(target) as out:
        out.write(model.SerializeToString())
    return Model(spec=found, onnx_path=target, sha256=digest)


def _unknown(name: str) -> ModelError:
    near = difflib.get_close_matches(name, CATALOG, n=2, cutoff=0.5)
    return ModelError(
        f"there is no model {name!r}; the catalog has {', '.join(CATALOG)}",
        hint=f"did you mean {' or '.join(near)}?" if near else "a file must end in .onnx or .param",
    )
