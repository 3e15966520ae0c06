"""`scripts/ship_wild_compact`: two runs become the two ends that come with wildsr, or nothing is written."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

from tests.models.two_ends import SPEC, weights
from wildsr.models import CATALOG, COMPACT_MODEL, load_model
from wildsr.models.compact_graph import compact_graph
from wildsr.models.onnx_file import embed_spec

SCRIPT = Path(__file__).parents[1] / "scripts" / "ship_wild_compact"
ROWS = [
    "a.jpg\tgallery one\tCC0-1.0",
    "b.jpg\tgallery two\tCC-BY-4.0",
    "c.jpg\tgallery two\tUnsplash licence",
]


def save_run(folder: Path, seed: int, **size: int) -> Path:
    """A run's folder as training leaves it."""
    folder.mkdir()
    spec = replace(
        SPEC, id=folder.name, halo=6 + seed, halo_exact=8 + seed, arguments={**SPEC.arguments, **size}
    )
    made = weights(seed, np.float32, **size)
    save_file(made, folder / "model.safetensors", metadata={"wildsr": spec.to_json()})
    onnx.save(embed_spec(compact_graph(made, **spec.arguments), spec), folder / "model.onnx")
    facts = {
        "wildsr": "1.2.3",
        "recipe": "gan" if seed else "psnr",
        "steps": 1000 + seed,
        "cpu_seconds": 7200.0,
        "model": {"architecture": "compact"},
        "data": {"photos": "98 photos, 12 more for validation, 0 skipped"},
        "config": 'network = "compact"\n[data]\nhr = "/home/somebody/photos"\npatch = 128',
    }
    (folder / "card.json").write_text(json.dumps(facts))
    return folder


def ship(
    tmp_path: Path, rows: list[str], *words: str, third: Path | None = None, **size: int
) -> subprocess.CompletedProcess[str]:
    (tmp_path / "SOURCES.tsv").write_text("\n".join(["file\tsource\tlicence", *rows]) + "\n")
    faithful, crisp = save_run(tmp_path / "a", 0), save_run(tmp_path / "b", 1, **size)
    command = [
        sys.executable,
        SCRIPT,
        faithful,
        crisp,
        *([third] if third else []),
        "--photos",
        tmp_path / "SOURCES.tsv",
    ]
    return subprocess.run(
        [*command, "--into", tmp_path / "shipped", *words],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.e2e
def test_two_runs_become_two_ends(tmp_path: Path) -> None:
    done = ship(tmp_path, ROWS)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "shipped"
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.md",
        "crisp.safetensors",
        "faithful.safetensors",
    ]
    for run, end in (("a", "faithful"), ("b", "crisp")):
        shipped, trained = (
            load_file(path) for path in (folder / f"{end}.safetensors", tmp_path / run / "model.safetensors")
        )
        assert all(np.array_equal(shipped[name], trained[name].astype(np.float16)) for name in trained)
    spec = load_model(folder).spec
    known = CATALOG[COMPACT_MODEL].spec
    assert (spec.id, spec.licence, spec.halo, spec.halo_exact) == (COMPACT_MODEL, known.licence, 7, 9)
    card = (folder / "card.md").read_text()
    assert all(row.replace("\t", " | ") in card for row in ROWS)
    assert "1,001 steps in 2.0 hours" in card
    assert "somebody" not in card
    agreements = [
        float(line.split(" to ")[1].split(" dB")[0]) for line in card.splitlines() if " dB." in line
    ]
    assert len(agreements) == 2
    assert min(agreements) > 50


@pytest.mark.e2e
def test_the_ends_lie_between_the_runs_where_the_shares_say(tmp_path: Path) -> None:
    done = ship(tmp_path, ROWS, "--shares", "0.25", "0.75")
    assert done.returncode == 0, done.stderr
    one, other = (load_file(tmp_path / run / "model.safetensors") for run in ("a", "b"))
    shipped, crisp = (load_file(tmp_path / "shipped" / f"{end}.safetensors") for end in ("faithful", "crisp"))
    for name, array in one.items():
        assert np.array_equal(shipped[name], (0.75 * array + 0.25 * other[name]).astype(np.float16))
        assert np.array_equal(crisp[name], (0.25 * array + 0.75 * other[name]).astype(np.float16))
    card = (tmp_path / "shipped" / "card.md").read_text()
    assert "faithful is 0.75 of run 1 and 0.25 of run 2; half" in card
    assert "crisp is 0.25 of run 1 and 0.75 of run 2; half" in card
    agreements = [
        float(line.split(" to ")[1].split(" dB")[0]) for line in card.splitlines() if " dB." in line
    ]
    assert len(agreements) == 2
    assert min(agreements) > 50
    shutil.rmtree(tmp_path / "a")
    shutil.rmtree(tmp_path / "b")
    refused = ship(tmp_path, ROWS, "--shares", "0.5", "0.5")
    assert refused.returncode == 2
    assert "--shares are 0.5 and 0.5; they must rise, from 0 to 1" in refused.stderr


@pytest.mark.e2e
def test_several_crisp_runs_are_averaged(tmp_path: Path) -> None:
    third = save_run(tmp_path / "c", 2)
    done = ship(tmp_path, ROWS, third=third)
    assert done.returncode == 0, done.stderr
    one, other = (load_file(tmp_path / run / "model.safetensors") for run in ("b", "c"))
    crisp = load_file(tmp_path / "shipped" / "crisp.safetensors")
    assert all(
        np.array_equal(crisp[name], ((one[name] + other[name]) / 2).astype(np.float16)) for name in one
    )
    card = (tmp_path / "shipped" / "card.md").read_text()
    assert "crisp is 0 of run 1 and 1 of the mean of runs 2 to 3; half" in card
    assert [word in card for word in ("1,000 steps", "1,001 steps", "1,002 steps")] == [True] * 3


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("rows", "size", "told"),
    [
        ([*ROWS, "d.jpg\tgallery\tCC-BY-NC-4.0"], {}, "d.jpg (CC-BY-NC-4.0)"),
        ([*ROWS, "d.jpg\tgallery\tall rights reserved"], {}, "d.jpg (all rights reserved)"),
        ([], {}, "no photo listed"),
        (ROWS, {"blocks": 2}, "different networks"),
    ],
)
def test_what_may_not_be_shipped_is_not(
    rows: list[str], size: dict[str, int], told: str, tmp_path: Path
) -> None:
    done = ship(tmp_path, rows, **size)
    assert done.returncode == 1
    assert told in done.stderr
    assert not (tmp_path / "shipped").exists()
