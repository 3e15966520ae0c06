"""`wildsr models`: what there is, what is cached, and bringing in other people's."""

import os
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from wildsr.assets import cached_path
from wildsr.assets import remove as remove_asset
from wildsr.assets import verify as verify_asset
from wildsr.cli.console import Json, data, data_json, data_name, say, size_text
from wildsr.cli.fetching import fetch_model
from wildsr.cli.models_export import export
from wildsr.cli.models_import import facts_of_spec, import_file, interpolate
from wildsr.cli.models_quantise import quantise
from wildsr.errors import AssetError, UsageError
from wildsr.models import CATALOG, CatalogEntry, Model, is_cached, load_model
from wildsr.models.conversions import check_conversions, conversions, remove_conversions

app = typer.Typer(
    help="List, fetch, inspect, import, export, quantise, verify and remove models.", no_args_is_help=True
)
app.command("import")(import_file)
app.command("export")(export)
app.command("quantise")(quantise)
app.command("interpolate")(interpolate)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
    for name, entry in chosen.items():
        size = size_text(entry.bytes)
        here = _whereabouts(entry)
        line = (
            f"{name:<24} ×{entry.spec.scale}  {entry.speed:<6}  {size:>7}  {entry.spec.licence:<12}  {here}"
        )
        data(f"{line}\n    {entry.summary}")


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
            data_name(model.onnx_path)
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


@app.command("verify")
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names in the catalog; all without.", show_default=False)
    ] = None,
    json: AsJson = False,
) -> None:
    """Read cached files and compare them with their digests; exit code 1 if one is damaged."""
    entries = [_entry(name) for name in names] if names else list(CATALOG.values())
    results = {
        asset.stored_name: _state(partial(verify_asset, asset))
        for entry in entries
        for asset in entry.assets
        if os.path.lexists(cached_path(asset))
    }
    wanted = {path.name for entry in entries for path in conversions(entry.spec.id)}
    for name, good in check_conversions().items():
        if not names or name in wanted:
            results[name] = "good" if good else "damaged"
    bad = {name: state for name, state in results.items() if state != "good"}
    if json:
        data_json({"files": {**results}, "damaged": [*bad]})
    else:
        for name, state in results.items():
            data(f"{name}: {state}")
        if not results:
            say("nothing is cached")
    if bad:
        raise AssetError(
            f"in the cache: {', '.join(f'{name} ({state})' for name, state in bad.items())}",
            hint="damaged files are fetched or made again when next needed, by wildsr models pull for example",
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
            count += sum(map(remove_asset, entry.assets))
        comes_along = entry is not None and entry.folder is not None and not everything
        say(
            f"{name} was removed"
            if count
            else f"{name} comes with wildsr and stays"
            if comes_along
            else f"{name} wasn't there"
        )
    if everything:
        for file in check_conversions():
            remove_conversions(file.rpartition("-")[0])


def _state(check: Callable[[], bool]) -> str:
    try:
        return "good" if check() else "damaged"
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _whereabouts(entry: CatalogEntry) -> str:
    here = is_cached(entry.spec.id)
    if entry.folder is not None:
        return "comes with wildsr" if here else "missing in this installation"
    return "cached" if here else "not cached"


def _digest(entry: CatalogEntry) -> str | None:
    """Digest of the weights; of a model that comes with wildsr, as it runs by default."""
    if entry.weights is not None:
        return entry.weights.sha256
    return load_model(entry.spec.id).sha256 if is_cached(entry.spec.id) else None


def _entry(name: str) -> CatalogEntry:
    if name not in CATALOG:
        raise _unknown(name)
    return CATALOG[name]


def _unknown(name: str) -> UsageError:
    return UsageError(f"there is no model {name!r} in the catalog; it has {', '.join(CATALOG)}")


def _facts(entry: CatalogEntry) -> dict[str, Json]:
    return {
        **facts_of_spec(entry.spec),
        "for": entry.summary,
        "speed": entry.speed,
        "bytes": entry.bytes,
        "sha256": _digest(entry),
        "cached": is_cached(entry.spec.id),
    }


def _facts_of_file(model: Model) -> dict[str, Json]:
    return {**facts_of_spec(model.spec), "file": str(model.onnx_path), "sha256": model.sha256}
