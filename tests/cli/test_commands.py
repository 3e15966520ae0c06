"""The list of commands is true without loading them, and a call loads its own command only."""

import inspect
import os
import subprocess
import sys

import pytest
import typer

from wildsr.cli.commands import COMMANDS, application, application_for
from wildsr.cli.main import app

HEAVY = {"numpy", "onnx", "openvino", "pydantic", "pyvips", "torch", "wildsr.engine", "wildsr.models"}


def loaded(program: typer.Typer) -> set[str]:
    """Names of the commands that are really there."""
    commands = {
        str(one.name) for one in program.registered_commands if "_not_loaded" not in repr(one.callback)
    }
    return commands | {str(one.name) for one in program.registered_groups}


@pytest.mark.parametrize("name", COMMANDS)
def test_summaries_are_what_the_commands_say(name: str) -> None:
    functions = {str(one.name): one.callback for one in app.registered_commands}
    groups = {str(one.name): one.typer_instance for one in app.registered_groups}
    said = inspect.getdoc(functions[name]) if name in functions else groups[name].info.help
    assert " ".join(str(said).split("\n\n")[0].split()) == COMMANDS[name]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], set()),
        (["--help"], set()),
        (["--version"], set()),
        (["nonsense", "upscale"], set()),
        (["bench", "--tile", "8"], {"bench"}),
        (["models", "list"], {"models"}),
        (["--help", "models"], {"models"}),
    ],
)
def test_only_what_is_called_is_loaded(arguments: list[str], names: set[str]) -> None:
    program = application_for(arguments)
    assert loaded(program) == names
    everything = {str(one.name) for one in program.registered_commands} | {
        str(one.name) for one in program.registered_groups
    }
    assert everything == set(COMMANDS)


def test_completion_knows_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_WILDSR_COMPLETE", "complete_bash")
    assert loaded(application_for([])) == loaded(application()) == set(COMMANDS)


@pytest.mark.e2e
@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_list_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nimport wildsr.cli\n"
        "try:\n    wildsr.cli.main()\nexcept SystemExit:\n    pass\n"
        "print('loaded', *sorted(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        timeout=120,
        check=False,
    )
    modules = set(done.stdout.splitlines()[-1].split()[1:])
    assert "wildsr.cli.commands" in modules, done.stderr
    assert not modules & HEAVY
