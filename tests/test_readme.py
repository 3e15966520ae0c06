"""What README and docs say to type can be typed."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from tests.cli.invoke import invoke
from tests.conftest import REPOSITORY
from tests.e2e.conftest import files, photo, pixels
from tests.engine.tiny import save, tiny_compact
from wildsr.cli.main import app

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted(REPOSITORY.glob("docs/**/*.md")),
]


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a document that are marked as this language."""
    return [body for mark, body in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S) if mark == language]


def commands(path: Path) -> list[str]:
    """Return the lines of a document's code blocks that run wildsr; a line that ends in \\ goes on."""
    text = path.read_text(encoding="utf-8")
    lines = "".join(blocks(text, "") + blocks(text, "sh") + blocks(text, "bash")).replace("\\\n", " ")
    return [line.strip() for line in lines.splitlines() if line.strip().startswith("wildsr ")]


COMMANDS = [
    (path.relative_to(REPOSITORY).as_posix(), command)
    for path in DOCUMENTS
    if path.is_file()
    for command in commands(path)
]
MADE_WITH_THE_SITE = {"changelog.md", "commands.md", "security.md", "../commands.md"}
OPTIONS = re.findall(r"`(-[^`]+)`", "".join(re.findall(r"^\|.*\|$", README, re.M)))


def parse(words: list[str]) -> None:
    """Parse a command as the program would, without running it; raises Refused."""
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):  # a group; newer typers bring a click of their own
        name, *words = command.with_verb(words) if hasattr(command, "with_verb") else words
        if name not in command.commands:
            raise Refused(f"there is no command {name}")
        command = command.commands[name]
    try:
        command.make_context(command.name, words)
    except Exception as error:
        raise Refused(getattr(error, "message", repr(error))) from error


class Refused(Exception):  # noqa: N818 -- what happened to the command, not a fault
    """The program would not take a command."""


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_documented_command_parses(document: str, command: str) -> None:
    program, *words = shlex.split(command, comments=True)
    assert program == "wildsr"
    parse(words[: words.index(">")] if ">" in words else words)


@pytest.mark.parametrize("option", OPTIONS)
def test_documented_option_of_upscale_parses(option: str) -> None:
    parse(["upscale", "photo.jpg", *shlex.split(option)])


def test_there_is_something_to_parse() -> None:
    assert len(commands(REPOSITORY / "README.md")) >= 8
    assert len(OPTIONS) >= 12
    with pytest.raises(Refused):
        parse(["upscale", "photo.jpg", "--no-such-option"])
    with pytest.raises(Refused):
        parse(["no-such-command"])


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    photo(tmp_path / "IMG_0012.jpg")
    photo(tmp_path / "photos" / "a.jpg", seed=1)
    return save(tiny_compact(), tmp_path / "tiny.onnx")


def test_the_upscale_commands_of_the_readme_run(model: Path, tmp_path: Path) -> None:
    ran = 0
    for command in commands(REPOSITORY / "README.md"):
        _, *words = shlex.split(command, comments=True)
        if words[0] == "upscale" and "-m" not in words and (tmp_path / words[1]).exists():
            done = invoke(*words, "-m", model)
            assert done.code == 0, f"{command}\n{done.err}"
            ran += 1
    assert ran >= 3
    assert {"out/a_x4.png", "IMG_0012_x4.png"} <= set(files(tmp_path))


def test_the_python_of_the_readme_runs(model: Path, tmp_path: Path) -> None:
    (program,) = blocks(README, "python")
    assert '"realsr-df2k-jpeg"' in program
    exec(compile(program.replace('"realsr-df2k-jpeg"', repr(str(model))), "README.md", "exec"), {})
    assert pixels(tmp_path / "IMG_0012_x4.png").shape == (96, 96, 3)


@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if path.is_file()],
    ids=lambda path: path.relative_to(REPOSITORY).as_posix(),
)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    missing = {link for link in links if "://" not in link and not (document.parent / link).exists()}
    assert missing <= MADE_WITH_THE_SITE
