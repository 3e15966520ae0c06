"""The Dockerfile and the systemd unit are read as their programs read them, and their commands can be typed."""

import configparser
import json
import re
import shlex
import shutil
import subprocess

import pytest

from tests.conftest import REPOSITORY
from tests.test_readme import parse

DEPLOY = REPOSITORY / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    (name, rest)
    for name, rest in re.findall(r"^([A-Z]+) (.+)$", DOCKERFILE.replace("\\\n", " "), re.M)
]  # fmt: skip


def of(name: str) -> list[str]:
    return [rest for word, rest in INSTRUCTIONS if word == name]


def test_the_dockerfile_is_made_of_instructions() -> None:
    lines = [one for one in DOCKERFILE.replace("\\\n", " ").splitlines() if one and not one.startswith("#")]
    assert len(INSTRUCTIONS) == len(lines)
    known = "FROM RUN WORKDIR COPY USER ENV VOLUME EXPOSE HEALTHCHECK STOPSIGNAL ENTRYPOINT"
    assert {word for word, _ in INSTRUCTIONS} <= set(known.split())
    assert INSTRUCTIONS[0][0] == "FROM"


def test_the_container_runs_as_nobody_special_and_its_command_parses() -> None:
    assert of("USER") == ["wildsr"]
    program, *words = json.loads(of("ENTRYPOINT")[0])
    assert program == "wildsr"
    parse(words)
    port = words[words.index("--port") + 1]
    assert of("EXPOSE") == [port]
    assert f":{port}/health" in of("HEALTHCHECK")[0]
    assert words[words.index("--folder") + 1].startswith(of("VOLUME")[0])


def test_what_the_dockerfile_copies_is_there_and_what_it_installs_is_an_extra() -> None:
    for line in of("COPY"):
        *sources, _ = line.split()
        for source in sources:
            assert (REPOSITORY / source).exists(), source
    import tomllib

    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (asked,) = re.findall(r'"\.\[(.+?)\]"', DOCKERFILE)
    assert set(asked.split(",")) <= set(extras)


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "wildsr.service", encoding="utf-8")
    return parser


def test_the_unit_runs_a_command_that_parses_and_is_locked_in() -> None:
    service = unit()["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert program.endswith("/wildsr")
    parse(words)
    assert words[words.index("--folder") + 1] == f"/var/lib/{service['StateDirectory']}"
    assert {service[one] for one in ("NoNewPrivileges", "DynamicUser", "PrivateTmp")} == {"yes"}
    assert "143" in service["SuccessExitStatus"].split()
    assert unit()["Install"]["WantedBy"] == "multi-user.target"


def test_systemd_takes_the_unit() -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze isn't installed")
    done = subprocess.run(
        [program, "verify", "--man=no", str(DEPLOY / "wildsr.service")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Unknown" not in done.stderr
