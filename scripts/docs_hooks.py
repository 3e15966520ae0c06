"""Pages of the site that are made when it is built: commands from the program itself, and files kept elsewhere."""

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.models import ArgumentInfo, OptionInfo

from wildsr.cli.main import app

ROOT = Path(__file__).resolve().parents[1]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that have no file below docs/."""
    for name, text in (
        ("commands.md", commands_page()),
        ("decisions.md", decisions_page()),
        ("security.md", moved((ROOT / "SECURITY.md").read_text("utf-8"))),
        ("changelog.md", moved((ROOT / "CHANGELOG.md").read_text("utf-8"))),
    ):
        files.append(File.generated(config, name, content=text))
    return files


def commands_page() -> str:
    """Return every command with its arguments and options, as Markdown."""
    parts = ["# Commands", "Made from the program; `wildsr COMMAND --help` says the same."]
    for name, function in commands(app, "wildsr"):
        parts += [f"## {name}", inspect.getdoc(function) or "", table(function)]
    return "\n\n".join(part for part in parts if part) + "\n"


def decisions_page() -> str:
    """Return the list of the decisions, with their titles."""
    notes = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    titles = {note.name: note.read_text("utf-8").partition("\n")[0].lstrip("# ") for note in notes}
    return "# Decisions\n\n" + "".join(f"- [{title}](decisions/{name})\n" for name, title in titles.items())


def commands(group: typer.Typer, name: str) -> Iterator[tuple[str, Callable[..., object]]]:
    """Give the commands of the program and of its groups, with their functions."""
    for command in group.registered_commands:
        if command.callback is not None:
            yield f"{name} {command.name or command.callback.__name__.replace('_', '-')}", command.callback
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            yield from commands(inner.typer_instance, f"{name} {inner.name}")


def table(function: Callable[..., object]) -> str:
    """Return a command's arguments and options as a table."""
    hints = typing.get_type_hints(function, include_extras=True)
    rows = []
    for parameter in inspect.signature(function).parameters.values():
        hint, info = hints[parameter.name], parameter.default
        if typing.get_origin(hint) is typing.Annotated:
            hint, info = hint.__origin__, hint.__metadata__[0]
        if not isinstance(info, ArgumentInfo | OptionInfo) or info.hidden:
            continue
        name = parameter.name.replace("_", "-")
        first = [info.default] if info is not parameter.default and isinstance(info.default, str) else []
        given = "/".join([*first, *(info.param_decls or ())])
        flags = [flag for flag in given.split("/") if flag.startswith("-")]
        if isinstance(info, ArgumentInfo):
            flags = [info.metavar or name.upper()]
        elif not any(flag.startswith("--") for flag in flags):
            flags.append(f"--{name}")
        default = parameter.default if info is not parameter.default else info.default
        text = cell(info.help or "") + "".join(f" `{choice}`" for choice in choices(hint))
        shown = (
            f"`{default}`" if isinstance(default, int | float | str) and not isinstance(default, bool) else ""
        )
        rows.append(f"| {', '.join(f'`{cell(flag)}`' for flag in flags)} | {text} | {shown} |")
    return "\n".join(["| option | | default |", "|--|--|--|", *rows]) if rows else ""


def choices(hint: object) -> tuple[object, ...]:
    """Return the words a type allows; none where anything is."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return tuple(choice for part in typing.get_args(hint) for choice in choices(part))
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()


def cell(text: str) -> str:
    """Return a text as it may stand in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def moved(text: str) -> str:
    """Return a page of the root with its links as they are from docs/."""
    return re.sub(r"\]\(docs/", "](", text)
