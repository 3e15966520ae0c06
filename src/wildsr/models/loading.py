"""From a name or a path to a model that is ready to run."""

import hashlib
import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import onnx

from wildsr.assets import Progress, fetch_all
from wildsr.assets import is_cached as is_asset_cached
from wildsr.errors import ModelError, UsageError, nearest
from wildsr.files import AtomicFile, make_folder, sha256_of, shown
from wildsr.models.catalog import CATALOG, COMPACT_MODEL, CatalogEntry
from wildsr.models.conversions import converted
from wildsr.models.fusion import BRANCHES, FusionRule, is_fused, take_apart
from wildsr.models.ncnn import IMPORTER_VERSION, import_ncnn
from wildsr.models.onnx_file import embed_spec, inspect_onnx, is_ready, load_checked, made_ready
from wildsr.models.spec import ModelSpec
from wildsr.models.two_ends import DEFAULT_SHARPNESS, TwoEnds, check_sharpness, has_two_ends

_KINDS = ".onnx, .param (with its .bin), and folders that hold one"
_TRAINING_FILES = (".safetensors", ".pth", ".pt", ".ckpt", ".data-00000-of-00001")
_READY_VERSION = 1
_LONGEST_NAME = 200


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model file and what it says about itself."""

    spec: ModelSpec
    """Scale, halo, licence, …"""

    onnx_path: Path
    """The graph that runs; of a model with two ends, their folder."""

    sha256: str
    """Digest of the file the model came from; of a model with two ends, of both and the sharpness."""

    ends: TwoEnds | None = None
    """The two ends of a model with a dial."""

    sharpness: float | None = None
    """Where the dial of a model with two ends is, from 0 (faithful) to 1 (crisp)."""

    second: "Model | None" = None
    """y_S of a fused model, whose y_R this is; both came from one file."""

    rule: FusionRule | None = None
    """When and how the two of a fused model are fused."""

    def graph(self) -> onnx.ModelProto:
        """Return the graph that runs, its ModelSpec inside; of a model with two ends, the blend of their weights.

        Raises:
            ModelError: An end can't be read.
        """
        if self.ends is None or self.sharpness is None:
            return onnx.load(str(self.onnx_path))
        return self.ends.graph(self.sharpness)

    def at(self, sharpness: float) -> "Model":
        """Return the model with its dial at `sharpness`.

        Raises:
            UsageError: It has no two ends, or `sharpness` is not from 0 to 1.
        """
        check_sharpness(sharpness)
        if self.ends is None:
            raise UsageError(
                f"the model {self.spec.id} has no two ends to set a sharpness between",
                hint=f"{COMPACT_MODEL} has them; --strength blends any model with plain enlargement",
            )
        return _with_dial(self.ends, self.spec, sharpness)


def load_model(name: str | Path, *, offline: bool | None = None, progress: Progress | None = None) -> Model:
    """Return a model: fetched, imported and checked where needed, from the cache where possible.

    Args:
        name: Name in the catalog, an `.onnx` file, an ncnn `.param` file with its `.bin` beside it, or a folder
            that holds `model.onnx` (a training run) or a single model.
        offline: True never fetches; None follows the environment.
        progress: Told of downloads.

    Raises:
        ModelError: Unknown name, or a file that can't be trusted or understood.
        AssetError: Weights that can't be had.

    Examples:
        >>> model = wildsr.load_model("realsr-df2k-jpeg")
        >>> model.spec.scale
        4
    """
    if str(name) in CATALOG:
        return _from_catalog(CATALOG[str(name)], offline, progress)
    path = Path(name)
    if os.path.isdir(path):  # noqa: PTH112 -- unlike pathlib's, False for a name that can't be
        if has_two_ends(path):
            ends = TwoEnds(folder=path)
            return _with_dial(ends, ends.spec, DEFAULT_SHARPNESS)
        path = _model_in(path)
    elif not os.path.isfile(path):  # noqa: PTH113 -- the same
        raise _unknown(str(name))
    if path.suffix == ".onnx":
        return _from_onnx(path)
    if path.suffix in (".param", ".bin"):
        return _from_pair(path)
    if path.suffix in _TRAINING_FILES:
        raise ModelError(
            f"{shown(path)} holds weights without the network around them",
            hint=f"convert it once: wildsr models import {shown(path.name)} -o {shown(path.stem)}.onnx "
            "(needs wildsr[train])",
        )
    raise ModelError(f"{shown(path)} is no model file; {_KINDS} are known")


def import_model(
    path: Path, target: Path, *, licence: str | None = None, source: str | None = None
) -> ModelSpec:
    """Convert a `.param` or `.onnx` file into an ONNX file with its ModelSpec inside; return the ModelSpec.

    Args:
        path: The file.
        target: The ONNX file to write.
        licence: Noted in the file; None keeps what it says.
        source: The same.

    Raises:
        ModelError: If the file can't be trusted or understood.
        OutputError: If the target can't be written.
    """
    model = load_model(path, offline=True)
    spec = replace(model.spec, licence=licence or model.spec.licence, source=source or model.spec.source)
    whole = model.onnx_path if model.second is None else _model_in(path) if path.is_dir() else path
    graph = embed_spec(model.graph() if model.ends else load_checked(whole), spec)
    make_folder(target.parent)
    with AtomicFile(target) as out:
        out.write(graph.SerializeToString())
    return spec


def holds_model(folder: Path) -> bool:
    """Whether `load_model` takes a folder for a model's, or asks which of its models is meant."""
    try:
        return has_two_ends(folder) or any(map(_is_model_file, folder.iterdir()))
    except OSError:
        return False


def is_cached(name: str) -> bool:
    """Whether a model of the catalog can be loaded offline."""
    entry = CATALOG[name]
    return all(map(is_asset_cached, entry.assets)) and (entry.folder is None or has_two_ends(entry.folder))


def own_sharpness(name: str | Path) -> float | None:
    """Return where the dial of a model is unless it is set; None for a model without two ends. Reads no weights."""
    entry = CATALOG.get(str(name))
    folder = Path(name) if entry is None else entry.folder
    return None if folder is None or not has_two_ends(folder) else DEFAULT_SHARPNESS


def _from_catalog(entry: CatalogEntry, offline: bool | None, progress: Progress | None) -> Model:
    if entry.folder is not None:
        if not has_two_ends(entry.folder):
            raise ModelError(
                f"this installation has no weights of {entry.spec.id}: {shown(entry.folder)} lacks its two ends",
                hint="install wildsr again, or use another model: -m realsr-df2k-jpeg",
            )
        ends = TwoEnds(folder=entry.folder)
        return _with_dial(ends, ends.spec, DEFAULT_SHARPNESS)
    param, weights = fetch_all(entry.assets, progress=progress, offline=offline)
    return _from_ncnn(param, weights, entry.spec, "".join(one.sha256 for one in entry.assets))


def _with_dial(ends: TwoEnds, spec: ModelSpec, sharpness: float) -> Model:
    digest = hashlib.sha256(f"{ends.sha256} {float(sharpness)!r}".encode()).hexdigest()
    return Model(spec=spec, onnx_path=ends.folder, sha256=digest, ends=ends, sharpness=float(sharpness))


def _from_ncnn(param: Path, weights: Path, spec: ModelSpec | None, content: str) -> Model:
    """Return an ncnn model as ONNX, converted once."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    described = spec.to_json() if spec else ""
    path, found = converted(
        spec.id if spec else param.stem,
        f"{IMPORTER_VERSION}{digest}{described}",
        lambda: import_ncnn(param, weights, spec),
    )
    return Model(spec=found, onnx_path=path, sha256=digest)


def _from_pair(path: Path) -> Model:
    """Return the ncnn model one of whose two files is given."""
    param, weights = path.with_suffix(".param"), path.with_suffix(".bin")
    for file in (param, weights):
        if not file.is_file():
            raise ModelError(
                f"{shown(path)} has no {shown(file.name)} beside it",
                hint="ncnn models are two files; keep them together",
            )
    return _from_ncnn(param, weights, None, f"{sha256_of(param)}{sha256_of(weights)}")


def _from_onnx(path: Path) -> Model:
    """Return an ONNX model: the file itself if it is ready to run, else a cached copy that is."""
    model = load_checked(path)
    digest = sha256_of(path)
    if is_fused(model):
        return _from_fused(path, model, digest)
    spec = inspect_onnx(model, id=path.stem, source=path.name)
    if not is_ready(model):
        path, spec = converted(
            path.stem, f"ready{_READY_VERSION}{digest}", lambda: (embed_spec(made_ready(model), spec), spec)
        )
    return Model(spec=spec, onnx_path=path, sha256=digest)


def _from_fused(path: Path, model: onnx.ModelProto, digest: str) -> Model:
    """Return the two networks of a fused file, each as a file of its own in the cache."""
    parts = take_apart(model)
    found = []
    for branch, part in zip(BRANCHES, (parts.main, parts.second), strict=True):
        part.metadata_props.extend(model.metadata_props)
        spec = inspect_onnx(part, id=path.stem, source=path.name)
        onnx_path, spec = converted(
            f"{path.stem}-{branch}", f"fused{_READY_VERSION}{branch}{digest}", partial(_with_spec, part, spec)
        )
        found.append(Model(spec=spec, onnx_path=onnx_path, sha256=digest))
    return replace(found[0], second=found[1], rule=parts.rule)


def _with_spec(model: onnx.ModelProto, spec: ModelSpec) -> tuple[onnx.ModelProto, ModelSpec]:
    return embed_spec(model, spec), spec


def _model_in(folder: Path) -> Path:
    """Return the model file of a folder: `model.onnx` of a training run, or the only model there is."""
    if (folder / "model.onnx").is_file():
        return folder / "model.onnx"
    found = sorted(filter(_is_model_file, folder.iterdir()))
    if len(found) == 1:
        return found[0]
    if found:
        raise ModelError(
            f"the folder {shown(folder)} holds {len(found)} models: "
            + ", ".join(shown(path.name) for path in found[:5]),
            hint=f"name one of them, {shown(found[0])} for example",
        )
    raise ModelError(
        f"the folder {shown(folder)} holds no model.onnx and no .param file",
        hint="name the folder of a finished training, or of an ncnn model",
    )


def _is_model_file(path: Path) -> bool:
    return path.suffix in (".onnx", ".param") and path.is_file()


def _unknown(name: str) -> ModelError:
    given = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    near = nearest(name, CATALOG)
    return ModelError(
        f"there is no model {given!r}; the catalog has {', '.join(CATALOG)}",
        hint=f"did you mean {' or '.join(near)}?" if near else f"a file of your own? {_KINDS} are known",
    )
