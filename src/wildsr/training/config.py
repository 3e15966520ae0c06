"""Configurations: frozen dataclasses with a docstring under each field, printed and read as TOML, checked once."""

import ast
import inspect
import json
import textwrap
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from wildsr.errors import UsageError, did_you_mean
from wildsr.files.toml import parsed_toml, read_toml
from wildsr.training.choices import choices

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Tree: TypeAlias = dict[str, Value]
Config = TypeVar("Config", bound="DataclassInstance")

_NEUTRAL = frozenset(("data.cache", "data.workers"))
"""Settings that change no result, so that a resumed run may have others."""


def configure(base: Config, *, file: Path | None = None, sets: Sequence[str] = ()) -> Config:
    """Change a configuration by a TOML file, then by `path.to.key=value` texts, and check it.

    Steps set at one place switch off a time budget from a place before it (the preset, the file).

    Args:
        base: The preset.
        file: TOML with the settings to change.
        sets: As given to `--set`; values are TOML, or else taken as text.

    Raises:
        UsageError: An unknown key (with its path and the nearest names) or a value that isn't allowed (with what is);
            `sets` with both a number of steps and a time budget.
    """
    tree = as_tree(base)
    if file is not None:
        given = read_toml(file)
        _merge(tree, given, type(base), str(file))
        run = given.get("run")
        if isinstance(run, Mapping) and "steps" in run and "time_budget" not in run:
            _without_budget(tree)
    named: Tree = {}
    for text in sets:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise UsageError(f"--set {text}: expected name=value", hint="for example --set data.patch=96")
        branch: Value = _parse(value.strip())
        for key in reversed(path.strip().split(".")):
            branch = {key: branch}
        assert isinstance(branch, dict)
        _merge(tree, branch, type(base), f"--set {text}")
        run = branch.get("run")
        named |= run if isinstance(run, dict) else {}
    if "steps" in named:
        if named.get("time_budget"):
            raise UsageError(
                f"a training ends by its steps or by its time: run.steps = {named['steps']} and "
                f"run.time_budget = {named['time_budget']} are both given",
                hint="leave one of them out; a time budget finds the number of steps that fit into it",
            )
        _without_budget(tree)
    return _checked(type(base), tree)


def as_tree(config: "DataclassInstance") -> Tree:
    """The configuration as nested plain values; paths are texts."""
    tree: Tree = json.loads(json.dumps(asdict(config), default=str))
    return tree


def to_toml(config: "DataclassInstance") -> str:
    """Every setting with its help and what it may be as comments; what is not set stands as a comment too."""
    lines: list[str] = []
    _write(config, as_tree(config), "", lines)
    return "\n".join(lines).strip() + "\n"


def from_toml(kind: type[Config], text: str) -> Config:
    """Read back what `to_toml` wrote.

    Raises:
        UsageError: Unknown keys, wrong values.
    """
    given = tomllib.loads(text)
    tree: Tree = {}
    _merge(tree, given, kind, "configuration")
    return _checked(kind, tree)


def differences(before: str, now: str) -> list[str]:
    """Settings of two TOML texts that differ, as `path: before → now`; those that change no result are left out."""
    first, second = _leaves(tomllib.loads(before)), _leaves(tomllib.loads(now))
    return [
        f"{path}: {first.get(path, 'not set')} → {second.get(path, 'not set')}"
        for path in sorted(first.keys() | second.keys())
        if first.get(path) != second.get(path) and path not in _NEUTRAL
    ]


def field_docs(kind: "type[DataclassInstance]") -> dict[str, str]:
    """Docstring of each field of a dataclass, inherited ones too."""
    docs: dict[str, str] = {}
    for base in reversed([one for one in kind.__mro__ if is_dataclass(one)]):
        docs |= _own_docs(base)
    return docs


def _own_docs(kind: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    docs: dict[str, str] = {}
    for item, after in pairwise(body):
        if (
            isinstance(item, ast.AnnAssign)
            and isinstance(item.target, ast.Name)
            and isinstance(after, ast.Expr)
        ):
            docs[item.target.id] = inspect.cleandoc(str(ast.literal_eval(after.value)))
    return docs


def _merge(tree: Tree, given: Mapping[str, object], kind: type, source: str, path: str = "") -> None:
    hints = get_type_hints(kind)
    known = [item.name for item in fields(kind)]
    for key, value in given.items():
        full = f"{path}{key}"
        if key not in known:
            raise UsageError(f"{source}: unknown setting `{full}`", hint=did_you_mean(key, known))
        inner = hints[key]
        if is_dataclass(inner):
            if not isinstance(value, Mapping):
                raise UsageError(f"{source}: `{full}` is a table of settings, not {value!r}")
            branch = tree.setdefault(key, {})
            assert isinstance(branch, dict)
            assert isinstance(inner, type)
            _merge(branch, value, inner, source, f"{full}.")
        elif isinstance(value, str) and value.lower() == "none":
            tree[key] = None
        else:
            tree[key] = value  # type: ignore[assignment]


def _without_budget(tree: Tree) -> None:
    run = tree["run"]
    assert isinstance(run, dict)
    run["time_budget"] = 0.0


def _checked(kind: type[Config], tree: Tree) -> Config:
    try:
        return TypeAdapter(kind).validate_python(tree)
    except ValidationError as error:
        problems, hint = [], None
        for problem in error.errors():
            path = ".".join(str(part) for part in problem["loc"])
            problems.append(f"`{path}` = {problem.get('input')!r}: {problem['msg']}")
            hint = problem.get("ctx", {}).get("hint", hint)
        raise UsageError("; ".join(problems), hint=hint) from error


def _parse(text: str) -> Value:
    try:
        return parsed_toml(f"value = {text}")["value"]  # type: ignore[return-value]
    except ValueError:
        return text


def _write(config: "DataclassInstance", tree: Tree, path: str, lines: list[str]) -> None:
    docs, hints = field_docs(type(config)), get_type_hints(type(config), include_extras=True)
    inner = []
    for item in fields(config):
        value = getattr(config, item.name)
        if is_dataclass(value) and not isinstance(value, type):
            inner.append((item.name, value))
            continue
        lines += [f"# {line}" for line in docs.get(item.name, "").splitlines()]
        if allowed := choices(hints[item.name]):
            lines.append(f"# One of {', '.join(allowed)}.")
        plain = tree[item.name]
        lines.append(f"# {item.name} =" if plain is None else f"{item.name} = {_toml(plain)}")
    for name, value in inner:
        branch = tree[name]
        assert isinstance(branch, dict)
        lines += ["", *(f"# {line}" for line in docs.get(name, "").splitlines()), f"[{path}{name}]"]
        _write(value, branch, f"{path}{name}.", lines)


def _toml(value: Value) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def _leaves(tree: Mapping[str, object], path: str = "") -> dict[str, object]:
    leaves: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            leaves |= _leaves(value, f"{path}{key}.")
        else:
            leaves[f"{path}{key}"] = value
    return leaves
