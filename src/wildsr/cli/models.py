"""`wildsr models`: what there is, what is cached, and bringing in other people's."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from wildsr.assets import remove as remove_asset
from wildsr.assets import verify as verify_asset
from wildsr.cli.fetching import fetch_model
from wildsr.cli.talk import Json, data, data_json, say, size_text
from wildsr.errors import AssetError, UsageError
from wildsr.models import CATALOG, CatalogEntry, import_model, is_cached

app = typer.Typer(help="List, fetch, inspect, import, verify and remove models.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name in the catalog.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_models(
    licence: Annotated[
        str | None,
        typer.Option("--licence", help="Only models whose licence contains this.", show_default=False),
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
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "scale", "speed", "size", "licence", "here", "for"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("name", "scale", "speed", "size"))
    for name, entry in chosen.items():
        size = size_text(entry.param.size + entry.weights.size)
        here = "yes" if is_cached(name) else "no"
        table.add_row(
            name, f"×{entry.spec.scale}", entry.speed, size, entry.spec.licence, here, entry.summary
        )
    Console(highlight=False, width=None).print(table)


@app.command("pull")
def pull(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names in the catalog.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The whole catalog.")] = False,
) -> None:
    """Fetch models now, to work offline later."""
    if not names and not everything:
        raise UsageError("no model was named", hint="name some, or pull the whole catalog with --all")
    for name in list(CATALOG) if everything else names or []:
        model = fetch_model(_entry(name).spec.id, offline=False)
        say(f"{name} is ready")
        data(str(model.onnx_path))


@app.command("info")
def info(
    model: Annotated[str, typer.Argument(help="Catalog name, model file, or folder of a training run.")],
    json: AsJson = False,
) -> None:
    """Show what a model says about itself; a catalog model is not fetched for it."""
    if model in CATALOG:
        facts = _facts(CATALOG[model])
    else:
        loaded = fetch_model(model)
        spec = loaded.spec
        facts = {
            "name": spec.id,
            "architecture": spec.architecture,
            "scale": spec.scale,
            "halo": spec.halo,
            "tiling": spec.tiling,
            "licence": spec.licence,
            "source": spec.source,
            "training": spec.training,
            "file": str(loaded.onnx_path),
            "sha256": loaded.sha256,
        }
    if json:
        data_json(facts)
        return
    for key, value in facts.items():
        data(f"{key:<13} {value}")


@app.command("import")
def import_file(
    path: Annotated[Path, typer.Argument(help=".param (with its .bin beside it) or .onnx file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="ONNX file to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Convert a model of another tool into one wildsr runs; it is checked on the way."""
    if output.suffix != ".onnx":
        raise UsageError(f"the output is {output}; it must end in .onnx")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists", hint="choose another name, or replace it with --overwrite")
    spec = import_model(path, output)
    say(f"×{spec.scale} network, halo {spec.halo} LR pixels; use it with -m {output}")
    data(str(output))


@app.command("verify")
def verify(json: AsJson = False) -> None:
    """Read every cached file and compare it with its pin."""
    results: dict[str, Json] = {}
    for name, entry in CATALOG.items():
        if is_cached(name):
            results[name] = verify_asset(entry.param) and verify_asset(entry.weights)
    bad = [name for name, good in results.items() if not good]
    if json:
        data_json(results)
    else:
        for name, good in results.items():
            data(f"{name}: {'good' if good else 'DAMAGED'}")
    if bad:
        raise AssetError(
            f"damaged in the cache: {', '.join(bad)}",
            hint=f"wildsr models remove {bad[0]}, then pull it again",
        )


@app.command("remove")
def remove(name: Name) -> None:
    """Delete a model's files from the cache."""
    entry = _entry(name)
    removed = [remove_asset(entry.param), remove_asset(entry.weights)]
    say(f"{name} was removed" if any(removed) else f"{name} wasn't there")


def _entry(name: str) -> CatalogEntry:
    if name not in CATALOG:
        raise UsageError(f"there is no model {name!r} in the catalog; it has {', '.join(CATALOG)}")
    return CATALOG[name]


def _facts(entry: CatalogEntry) -> dict[str, Json]:
    spec = entry.spec
    return {
        "name": spec.id,
        "for": entry.summary,
        "architecture": spec.architecture,
        "scale": spec.scale,
        "speed": entry.speed,
        "halo": spec.halo,
        "bytes": entry.param.size + entry.weights.size,
        "sha256": entry.weights.sha256,
        "licence": spec.licence,
        "source": spec.source,
        "training": spec.training,
        "cached": is_cached(spec.id),
    }
