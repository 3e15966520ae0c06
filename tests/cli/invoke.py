"""Run the program inside the test's own process: quick, for the many ways to call it."""

import json
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from wildsr.cli.console import Json
from wildsr.cli.main import app
from wildsr.errors import UsageError, WildsrError


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Json]:
        """Standard output as one JSON object."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


def invoke(*arguments: str | Path) -> Ended:
    """Run `wildsr …`; errors of wildsr end it as `main` ends it, any other is the test's failure."""
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(one) for one in arguments])
    if isinstance(done.exception, WildsrError):
        code = 2 if isinstance(done.exception, UsageError) else 1
        return Ended(
            code, done.stdout, f"{done.stderr}error: {done.exception}\n\nhint: {done.exception.hint}\n"
        )
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ended(done.exit_code, done.stdout, done.stderr)
