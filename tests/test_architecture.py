"""The house keeps its shape: layers, file sizes, exports, nothing heavy at import."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import wildsr
from tests.conftest import LONGEST, REPOSITORY

SOURCE = REPOSITORY / "src" / "wildsr"
LONGEST_FILE = 350
LONGEST_FUNCTION = 80

TORCH_SIDE = {"networks", "checkpoints", "data", "degradation", "estimation", "training", "recipes"}
PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py"))
FILES = sorted(SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def dotted(folder: Path) -> str:
    return ".".join(folder.relative_to(SOURCE.parent).parts)


def module(path: Path) -> str:
    return dotted(path.parent if path.name == "__init__.py" else path.with_suffix(""))


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


def test_files_are_short() -> None:
    lengths = {
        path.relative_to(SOURCE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in FILES
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{path.relative_to(SOURCE)}::{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 1000
    assert {name for name, length in lengths.items() if length > LONGEST_FUNCTION} == set()


def imported(tree: ast.Module, modules: set[str], name: str) -> set[str]:
    """Return the modules of ours that a module imports anywhere in it, but for type checkers only."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & modules
            found |= inner or {node.module}
            if len(inner) < len(node.names):
                found.add(node.module)
    return found & modules - {name}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one node (Tarjan 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in order:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == order[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def test_no_import_leads_back() -> None:
    """Imports inside functions count: a circle that is deferred is still a circle."""
    modules = {module(path) for path in FILES}
    graph = {module(path): imported(tree, modules, module(path)) for path, tree in TREES.items()}
    assert sum(len(edges) for edges in graph.values()) > 500
    assert circles(graph) == []


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": set(), "f": {"g"}, "g": {"f", "e"}}
    assert sorted(circles(graph)) == [["a", "b", "c"], ["f", "g"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    deferred = ast.parse("def f():\n    from wildsr.b import c\nif TYPE_CHECKING:\n    import wildsr.d")
    assert imported(deferred, {"wildsr.a", "wildsr.b", "wildsr.b.c", "wildsr.d"}, "wildsr.a") == {
        "wildsr.b.c"
    }


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.relative_to(SOURCE.parent).as_posix())
def test_a_package_has_what_it_exports(folder: Path) -> None:
    name = dotted(folder)
    if folder.relative_to(SOURCE).parts[:1] and folder.relative_to(SOURCE).parts[0] in TORCH_SIDE:
        pytest.importorskip("torch", reason="the train extra isn't installed")
    if name == "wildsr.batch":
        pytest.importorskip("ray", reason="the batch extra isn't installed")
    package = importlib.import_module(name)
    exported = getattr(package, "__all__", [])
    assert len(set(exported)) == len(exported)
    for one in exported:
        assert hasattr(package, one), f"{name}.{one}"


def test_no_work_at_import() -> None:
    """Statements that act when a module is loaded: calls that stand alone, loops, files opened."""
    acting = []
    for path, tree in TREES.items():
        if path.name == "__main__.py":
            continue
        for statement in tree.body:
            stands_alone = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            text = ast.unparse(statement)
            registers = any(
                word in text for word in (".command(", ".add_typer(", "register(", "os.register_at_fork(")
            )
            if isinstance(statement, ast.For | ast.While | ast.With) or (stands_alone and not registers):
                acting.append(f"{path.relative_to(SOURCE)}:{statement.lineno}")
    assert not acting


def test_every_module_says_what_it_is() -> None:
    silent = [
        path.relative_to(SOURCE).as_posix() for path, tree in TREES.items() if not ast.get_docstring(tree)
    ]
    assert not silent


def test_every_module_can_be_found() -> None:
    found = {
        module.name for module in pkgutil.walk_packages([str(SOURCE)], "wildsr.", onerror=lambda _: None)
    }
    assert "wildsr.engine.upscaler" in found
    assert wildsr.__version__


PAGE = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
QUESTIONS = re.findall(r"^\| (.+?\?) \| `(.+?)::(.+?)` \|$", PAGE, re.M)


def defined(tree: ast.Module) -> set[str]:
    """Return the names a module defines, those of its classes as `Class.name`."""
    found: set[str] = set()
    for prefix, body in [("", tree.body)] + [
        (f"{node.name}.", node.body) for node in tree.body if isinstance(node, ast.ClassDef)
    ]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(prefix + node.name)
            elif isinstance(node, ast.AnnAssign):
                found.add(prefix + ast.unparse(node.target))
            elif isinstance(node, ast.Assign):
                found |= {prefix + ast.unparse(target) for target in node.targets}
    return found


@pytest.mark.parametrize(("question", "file", "name"), QUESTIONS)
def test_questions_have_an_answer_in_the_tree(question: str, file: str, name: str) -> None:
    assert name in defined(TREES[SOURCE / file])


def test_every_question_is_read_and_has_a_place_of_its_own() -> None:
    assert len(QUESTIONS) == len(re.findall(r"^\|[^|]*\? \|", PAGE, re.M)) > 0
    assert len({(file, name) for _, file, name in QUESTIONS}) == len(QUESTIONS)


def test_every_package_is_in_the_page_about_the_house() -> None:
    page = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
    tops = {path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").is_file()}
    listed = set(re.findall(r"^  (\w+)/ ", page, re.M))
    assert listed == tops


def test_the_inference_side_loads_without_torch() -> None:
    """Every package that must do without torch is imported whole, in a process of its own."""
    program = (
        "import importlib, pkgutil, sys\n"
        "for top in ('assets', 'files', 'imaging', 'models', 'engine', 'metrics', 'evaluation', 'service', 'cli'):\n"
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


def test_the_recipes_load_without_what_trains_them() -> None:
    """`wildsr train` lists them, and prints settings, seconds sooner."""
    program = "import sys, wildsr.recipes; print({'lightning_fabric', 'torch._dynamo'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=240, check=False
    )
    assert (done.returncode, done.stdout) == (0, "set()\n"), done.stderr


def test_the_files_that_begin_first_are_there() -> None:
    assert [name for name in LONGEST if not (REPOSITORY / "tests" / name).is_file()] == []
