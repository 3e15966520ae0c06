"""`import wildsr`: everything promised is there, typed and documented."""

import inspect
import subprocess
import sys
import typing
from dataclasses import fields, is_dataclass

import pytest

import wildsr
from wildsr.cli.fields import field_help

DATACLASSES = [name for name in wildsr.__all__ if is_dataclass(getattr(wildsr, name))]


def test_the_public_names() -> None:
    """A name added or removed is a decision: say so in CHANGELOG.md."""
    assert wildsr.__all__ == [
        "CATALOG",
        "Batch",
        "Evaluation",
        "FusionRule",
        "KernelEstimate",
        "Limits",
        "Model",
        "Outcome",
        "Picture",
        "Profile",
        "ProfileSettings",
        "Report",
        "Settings",
        "Size",
        "Upscaler",
        "WildsrError",
        "WriteOptions",
        "__version__",
        "estimate_kernel",
        "evaluate",
        "load_model",
        "make_profile",
        "metrics",
        "read",
        "train",
        "upscale_file",
        "upscale_folder",
        "write",
    ]
    assert set(wildsr.__all__) <= set(dir(wildsr))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = wildsr.nonsense  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [name for name in wildsr.__all__ if name != "__version__"])
def test_is_documented_and_typed(name: str) -> None:
    thing = getattr(wildsr, name)
    assert len((inspect.getdoc(thing) or "").split()) >= 5
    if inspect.isfunction(thing):
        hints = typing.get_type_hints(thing)
        assert set(inspect.signature(thing).parameters) | {"return"} == set(hints)
    for method, member in inspect.getmembers(thing, inspect.isfunction):
        if not method.startswith("_") and inspect.isclass(thing) and member.__module__.startswith("wildsr"):
            assert inspect.getdoc(member), f"{name}.{method}"


@pytest.mark.parametrize("name", DATACLASSES)
def test_every_field_is_documented(name: str) -> None:
    owner = getattr(wildsr, name)
    for field in fields(owner):
        assert field_help(owner, field.name), f"{name}.{field.name}"


def test_there_are_dataclasses_to_test() -> None:
    assert {"Settings", "Size", "Limits", "WriteOptions", "Report", "Picture", "FusionRule"} <= set(
        DATACLASSES
    )


def test_records_do_not_change() -> None:
    for name in DATACLASSES:
        assert getattr(wildsr, name).__dataclass_params__.frozen, name


def test_import_is_light() -> None:
    program = (
        "import sys, wildsr\n"
        "outside = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "heavy = outside & {'numpy', 'onnx', 'openvino', 'PIL', 'pyvips', 'pydantic', 'rich', 'torch', 'typer'}\n"
        "assert not heavy, heavy\n"
        "assert not any(name.startswith('wildsr.') and name != 'wildsr.version' for name in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
