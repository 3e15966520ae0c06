"""The documentation site builds without a warning, asks nobody for anything, and knows every public name."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import wildsr
from tests.conftest import REPOSITORY

pytest.importorskip("mkdocs", reason="the docs extra isn't installed")
pytest.importorskip("mkdocstrings", reason="the docs extra isn't installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.mark.slow
def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    checked = 0
    for page in site.rglob("*.html"):
        for link in re.findall(r'href="([^"#?]+)', page.read_text("utf-8")):
            if "://" not in link and not link.startswith(("mailto:", "/")) and page.name != "404.html":
                assert (page.parent / link).exists(), f"{page.relative_to(site)}: {link}"
                checked += 1
    assert checked > 500


@pytest.mark.slow
def test_reading_it_asks_nobody(site: Path) -> None:
    """Links may lead out; what a browser loads by itself is part of the site."""
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(https?://[^"]+)"', page.read_text("utf-8")
        )
        assert [one for one in loaded if "canonical" not in one] == [], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"@import|url\(['\"]?https?:", sheet.read_text("utf-8")), sheet.name


@pytest.mark.slow
def test_every_public_name_is_described(site: Path) -> None:
    page = (site / "api.html").read_text("utf-8")
    for name in wildsr.__all__:
        if name not in ("__version__", "WildsrError"):
            assert f'id="wildsr.{name}"' in page or f"wildsr.{name}" in page, name


def test_every_command_and_option_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))
    hooks = importlib.import_module("docs_hooks")
    page = hooks.commands_page()
    names = re.findall(r"^## (.+)$", page, re.M)
    assert {"wildsr upscale", "wildsr train", "wildsr models list", "wildsr metrics list"} <= set(names)
    assert len(names) >= 14
    for option in ("`--no-resume`", "`-m`, `--model`", "`--dry-run`", "`--strip-gps`", "`--print-config`"):
        assert option in page
    assert "`fp32`" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)
