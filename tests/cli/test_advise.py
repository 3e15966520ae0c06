import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tests.evaluation.pictures import noisy, save, scene
from wildsr.cli import advise
from wildsr.errors import InputError, UsageError

LUMA_SHARE = (0.299**2 + 0.587**2 + 0.114**2) ** 0.5
"""What noise that is independent in red, green and blue leaves in luma."""


def run(*arguments: str | Path) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(advise.advise)
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_a_photo(tmp_path: Path) -> None:
    path = save(tmp_path / "photo.png", noisy(scene(120, 160), 6))
    result = run(path)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == str(path)
    assert lines[1].startswith("  model: wild-compact")
    assert any(line.startswith("  - noise: plain to see (σ 4.") for line in lines)


def test_json(tmp_path: Path) -> None:
    save(tmp_path / "a.png", noisy(scene(120, 160), 6))
    save(tmp_path / "b.png", noisy(scene(120, 160), 6))
    found = json.loads(run(tmp_path, "--json").stdout)
    assert [Path(one["photo"]).name for one in found["photos"]] == ["a.png", "b.png"]
    assert found["failed"] == []
    one = found["photos"][0]
    assert set(one) == {"photo", "model", "fetched", "downscale", "shrink_to", "reasons", "measured"}
    assert one["measured"]["noise"] == pytest.approx(6 * LUMA_SHARE, rel=0.1)
    assert one["measured"]["file_quality"] is None
    assert len(one["reasons"]) in (4, 5)  # the compact model is named where it is installed


def test_bad_photos_are_named_and_the_others_answered(tmp_path: Path) -> None:
    save(tmp_path / "good.png", scene(120, 160))
    save(tmp_path / "small.png", scene(4, 4))
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("no picture")
    result = run(tmp_path, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert len(found["photos"]) == 1
    assert {Path(one["photo"]).name for one in found["failed"]} == {"small.png", "empty.png", "text.jpg"}
    assert "at least 48 a side" in " ".join(result.stderr.split())


def test_misuse(tmp_path: Path) -> None:
    assert isinstance(run().exception, UsageError)
    assert isinstance(run(tmp_path / "nothing.jpg").exception, InputError)


@pytest.mark.e2e
def test_advise_leaves_torch_alone(tmp_path: Path) -> None:
    path = save(tmp_path / "photo.png", scene(120, 160))
    code = (
        "import sys\nfrom wildsr.cli.advise import advise\nadvise([sys.argv[1]])\n"
        "print('loaded', sorted(set(sys.modules) & {'torch', 'numpy', 'scipy', 'openvino'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded ['numpy']"
