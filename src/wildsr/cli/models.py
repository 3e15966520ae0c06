"""`wildsr models`: what there is, what is cached, and bringing in other people's."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from wildsr.assets import cached_path
from wildsr.assets import remove as remove_asset
from wildsr.assets import verify as verify_asset
from wildsr.cli.fetching import fetch_model
from wildsr.cli.talk import Json, data, data_json, say, size_text
from wildsr.errors import AssetError, ModelError, UsageError
from wildsr.models import CATALOG, CatalogEntry, Model, ModelSpec, import_model, is_cached
from wildsr.models.conversions import check_conversions, conversions, remove_conversions

app = typer.Typer(help="List, fetch, inspect, import, verify and remove models.", no_args_is_help=True)
_CHECKPOINTS = (".pth", ".pt", ".ckpt", ".safetensors")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")]


@app.command("list")
def list_models(
    licence: Annotated[
        str | None,
        typer.Option("--licence", "--license", help="Only models whose licence contains this."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Show the catalog: what each model is for, its size, speed and licence."""
    chosen = {
        name: entry
        for name, entry in CATALOG.items()
        if licence is None or licence.lower() in entry.spec.licence.lower()
    }
    if json:
        data_json({"models": [_facts(entry) for entry in chosen.values()]})
        return
    if not chosen:
        known = ", ".join(sorted({entry.spec.licence for entry in CATALOG.values()}))
        say(f"no model of the catalog has a licence with {licence!r}; there are {known}")
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "scale", "speed", "size", "licence", "here", "for"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("name", "scale", "speed", "size"))
    for name, entry in chosen.items():
        size = size_text(entry.param.size + entry.weights.size)
        here = "yes" if is_cached(name) else "no"
        scale = f"×{entry.spec.scale}"
        table.add_row(name, scale, entry.speed, size, entry.spec.licence, here, entry.summary)
    if chosen:
        Console(highlight=False).print(table)


@app.command("pull")
def pull(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names in the catalog.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The whole catalog.")] = False,
    json: AsJson = False,
) -> None:
    """Fetch models now, to work offline later."""
    if not names and not everything:
        raise UsageError("no model was named", hint="name some, or pull the whole catalog with --all")
    entries = [_entry(name) for name in (list(CATALOG) if everything else names or [])]
    pulled: list[Json] = []
    for entry in entries:
        model = fetch_model(entry.spec.id)
        say(f"{entry.spec.id} is ready")
        pulled.append({"name": entry.spec.id, "file": str(model.onnx_path), "sha256": model.sha256})
        if not json:
            data(str(model.onnx_path))
    if json:
        data_json({"models": pulled})


@app.command("info")
def info(
    model: Annotated[str, typer.Argument(help="Catalog name, model file, or folder of a training run.")],
    json: AsJson = False,
) -> None:
    """Show what a model says about itself; a catalog model is not fetched for it."""
    facts = _facts(CATALOG[model]) if model in CATALOG else _facts_of_file(fetch_model(model))
    if json:
        data_json(facts)
        return
    for key, value in facts.items():
        data(f"{key:<13} {value}")


@app.command("import")
def import_file(
    path: Annotated[
        Path, typer.Argument(help="ncnn .param (with its .bin), .onnx, .pth or .safetensors file.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="ONNX file to write.")],
    licence: Annotated[
        str | None, typer.Option("--licence", "--license", help="Licence to note in the file.")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Origin to note in the file.")] = None,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Convert a model of another tool into one wildsr runs; it is checked on the way."""
    if output.suffix != ".onnx":
        raise UsageError(f"the output is {output}; it must end in .onnx")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists", hint="choose another name, or replace it with --overwrite")
    if path.suffix in _CHECKPOINTS:
        spec = _import_checkpoint(path, output, licence, source)
    else:
        spec = import_model(path, output, licence=licence, source=source)
    say(f"×{spec.scale} network, halo {spec.halo} LR pixels; use it with -m {output}")
    if json:
        data_json({**_facts_of_spec(spec), "file": str(output)})
    else:
        data(str(output))


@app.command("verify")
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names in the catalog; all without.", show_default=False)
    ] = None,
    json: AsJson = False,
) -> None:
    """Read cached files and compare them with their digests; exit code 1 if one is damaged."""
    entries = [_entry(name) for name in names] if names else list(CATALOG.values())
    results: dict[str, Json] = {
        asset.stored_name: verify_asset(asset)
        for entry in entries
        for asset in (entry.param, entry.weights)
        if cached_path(asset).exists()
    }
    wanted = {path.name for entry in entries for path in conversions(entry.spec.id)}
    results |= {name: good for name, good in check_conversions().items() if not names or name in wanted}
    bad = [name for name, good in results.items() if not good]
    if json:
        data_json({"files": results, "damaged": [*bad]})
    else:
        for name, good in results.items():
            data(f"{'good   ' if good else 'DAMAGED'}  {name}")
        if not results:
            say("nothing is cached")
    if bad:
        raise AssetError(
            f"damaged in the cache: {', '.join(bad)}",
            hint="they are fetched or made again when next needed; wildsr models remove --all starts afresh",
        )


@app.command("remove")
def remove(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Names in the catalog, or of imported models.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All models of the cache.")] = False,
) -> None:
    """Delete models from the cache; files you named as a path are never touched."""
    if not names and not everything:
        raise UsageError("no model was named", hint="name some, or remove them all with --all")
    for name in list(CATALOG) if everything else names or []:
        if name not in CATALOG and not conversions(name):
            raise _unknown(name)
        count = remove_conversions(name)
        if entry := CATALOG.get(name):
            count += remove_asset(entry.param) + remove_asset(entry.weights)
        say(f"{name} was removed" if count else f"{name} wasn't there")
    if everything:
        for file in check_conversions():
            remove_conversions(file.rpartition("-")[0])


def _import_checkpoint(path: Path, output: Path, licence: str | None, source: str | None) -> ModelSpec:
    """Convert another trainer's checkpoint; torch is needed for it, so it is imported here."""
    try:
        from wildsr.checkpoints import export_onnx, load_network
    except ImportError as error:
        raise ModelError(
            f"{path.name} is a training checkpoint; converting it needs the train extra",
            hint="pip install 'wildsr[train]'",
        ) from error
    loaded = load_network(path)
    spec = replace(loaded.spec, licence=licence or loaded.spec.licence, source=source or loaded.spec.source)
    export_onnx(loaded.network, spec, output)
    return spec


def _entry(name: str) -> CatalogEntry:
    if name not in CATALOG:
        raise _unknown(name)
    return CATALOG[name]


def _unknown(name: str) -> UsageError:
    return UsageError(f"there is no model {name!r} in the catalog; it has {', '.join(CATALOG)}")


def _facts(entry: CatalogEntry) -> dict[str, Json]:
    return {
        **_facts_of_spec(entry.spec),
        "for": entry.summary,
        "speed": entry.speed,
        "bytes": entry.param.size + entry.weights.size,
        "sha256": entry.weights.sha256,
        "cached": is_cached(entry.spec.id),
    }


def _facts_of_file(model: Model) -> dict[str, Json]:
    return {**_facts_of_spec(model.spec), "file": str(model.onnx_path), "sha256": model.sha256}


def _facts_of_spec(spec: ModelSpec) -> dict[str, Json]:
    return {
        "name": spec.id,
        "architecture": spec.architecture,
        "scale": spec.scale,
        "multiple": spec.multiple,
        "halo": spec.halo,
        "halo_exact": spec.halo_exact,
        "tiling": spec.tiling,
        "licence": spec.licence,
        "source": spec.source,
        "training": spec.training,
    }
