"""The house keeps its shape: layers, file sizes, exports, nothing heavy at import."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import wildsr
from tests.conftest import REPOSITORY

SOURCE = REPOSITORY / "src" / "wildsr"
LONGEST = 350
LONGER_FOR_A_REASON: dict[str, str] = {
    "cli/upscale.py": "every option of the command is a parameter with its help",
    "engine/upscaler.py": "the engine's public face, with its docstrings",
}
TORCH_SIDE = {"networks", "checkpoints", "data", "degradation", "estimation", "training", "recipes"}
PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py"))
FILES = sorted(SOURCE.rglob("*.py"))


def dotted(folder: Path) -> str:
    return ".".join(folder.relative_to(SOURCE.parent).parts)


def test_imports_point_down_only() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_tables_above_find_something() -> None:
    assert len(FILES) > 100
    assert len(PACKAGES) > 10
    assert all((SOURCE / name).is_file() for name in LONGER_FOR_A_REASON)


def test_files_are_short() -> None:
    lengths = {
        path.relative_to(SOURCE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in FILES
    }
    too_long = {
        name: length
        for name, length in lengths.items()
        if length > (400 if name in LONGER_FOR_A_REASON else LONGEST)
    }
    assert not too_long


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.relative_to(SOURCE.parent).as_posix())
def test_a_package_has_what_it_exports(folder: Path) -> None:
    name = dotted(folder)
    if folder.relative_to(SOURCE).parts[:1] and folder.relative_to(SOURCE).parts[0] in TORCH_SIDE:
        pytest.importorskip("torch", reason="the train extra isn't installed")
    package = importlib.import_module(name)
    exported = getattr(package, "__all__", [])
    assert len(set(exported)) == len(exported)
    for one in exported:
        assert hasattr(package, one), f"{name}.{one}"


def test_no_work_at_import() -> None:
    """Statements that act when a module is loaded: calls that stand alone, loops, files opened."""
    acting = []
    for path in FILES:
        if path.name == "__main__.py":
            continue
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            stands_alone = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            text = ast.unparse(statement)
            registers = ".command(" in text or ".add_typer(" in text
            if isinstance(statement, ast.For | ast.While | ast.With) or (stands_alone and not registers):
                acting.append(f"{path.relative_to(SOURCE)}:{statement.lineno}")
    assert not acting


def test_every_module_says_what_it_is() -> None:
    silent = [
        path.relative_to(SOURCE).as_posix()
        for path in FILES
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_every_module_can_be_found() -> None:
    found = {
        module.name for module in pkgutil.walk_packages([str(SOURCE)], "wildsr.", onerror=lambda _: None)
    }
    assert "wildsr.engine.upscaler" in found
    assert wildsr.__version__


def test_the_inference_side_loads_without_torch() -> None:
    """Every package that must do without torch is imported whole, in a process of its own."""
    program = (
        "import importlib, pkgutil, sys\n"
        "for top in ('assets', 'files', 'imaging', 'models', 'engine', 'metrics', 'evaluation', 'cli'):\n"
        "    package = importlib.import_module(f'wildsr.{top}')\n"
        "    for module in pkgutil.walk_packages(package.__path__, f'{package.__name__}.'):\n"
        "        importlib.import_module(module.name)\n"
        "heavy = {'torch', 'lightning', 'scipy', 'onnxruntime'}\n"
        "bad = sorted({name.partition('.')[0] for name in sys.modules} & heavy)\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
