"""Adding a network, degradation, loss or recipe is one file and one line: what lists the choices reads it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from wildsr.cli.main import app
from wildsr.degradation import PRESETS as DEGRADATIONS
from wildsr.errors import UsageError
from wildsr.estimation.kernels.methods import METHODS
from wildsr.networks import DISCRIMINATORS, NETWORKS
from wildsr.recipes import RECIPES
from wildsr.recipes.gan import GanConfig
from wildsr.recipes.psnr import PsnrConfig
from wildsr.recipes.realsr import RealsrConfig
from wildsr.training.config import configure, to_toml
from wildsr.training.losses import OBJECTIVES, PERCEPTUAL, PIXEL

runner = CliRunner()
TABLES: list[tuple[str, dict[str, object], str, PsnrConfig | GanConfig | RealsrConfig]] = [
    ("network", NETWORKS, "network", PsnrConfig()),
    ("network", NETWORKS, "network", GanConfig()),
    ("pixel loss", PIXEL, "loss", PsnrConfig()),
    ("pixel loss", PIXEL, "pixel", GanConfig()),
    ("degradation", DEGRADATIONS, "data.degradation", PsnrConfig()),
    ("discriminator", DISCRIMINATORS, "discriminator", GanConfig()),
    ("objective", OBJECTIVES, "objective", GanConfig()),
    ("perceptual loss", PERCEPTUAL, "perceptual", GanConfig()),
    ("method", METHODS, "pool.method", RealsrConfig()),
]
NAMES = [f"{type(config).__name__}.{setting}" for _, _, setting, config in TABLES]


def setting_of(config: object, path: str) -> object:
    for name in path.split("."):
        config = getattr(config, name)
    return config


@pytest.mark.parametrize(("what", "table", "setting", "config"), TABLES, ids=NAMES)
def test_a_new_entry_can_be_chosen_and_is_listed(
    what: str,
    table: dict[str, object],
    setting: str,
    config: PsnrConfig | GanConfig | RealsrConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match=f"unknown {what} `brand-new`"):
        configure(config, sets=[f"{setting}=brand-new"])
    assert "brand-new" not in to_toml(config)
    monkeypatch.setitem(table, "brand-new", next(iter(table.values())))
    assert setting_of(configure(config, sets=[f"{setting}=brand-new"]), setting) == "brand-new"
    assert f"# One of {', '.join(table)}." in to_toml(config).splitlines()


@pytest.mark.parametrize(("what", "table", "setting", "config"), TABLES, ids=NAMES)
def test_a_slip_of_the_pen_gets_the_nearest_names(
    what: str, table: Mapping[str, object], setting: str, config: PsnrConfig | GanConfig | RealsrConfig
) -> None:
    name = list(table)[-1]
    with pytest.raises(UsageError, match=f"unknown {what}") as caught:
        configure(config, sets=[f"{setting}={name[:-1]}?"])
    assert name in (caught.value.hint or "")


def test_choices_without_a_table_are_listed_too() -> None:
    lines = to_toml(PsnrConfig()).splitlines()
    assert "# One of constant, steps, cosine." in lines
    assert "# One of rgb, y." in lines


def test_a_new_recipe_is_listed_and_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(
        RECIPES["psnr"], summary="a summary of its own", presets={"p-1": PsnrConfig()}, default="p-1"
    )
    monkeypatch.setitem(RECIPES, "brand-new", recipe)
    listed = runner.invoke(app, ["train"]).stdout
    assert "brand-new: a summary of its own" in listed
    assert "presets: p-1 (default p-1)" in listed
    for name in ("brand-new", "p-1"):
        assert runner.invoke(app, ["train", name, "--print-config"]).stdout == to_toml(PsnrConfig())


def test_a_new_degradation_is_listed_by_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    before = runner.invoke(app, ["degrade", "--list"]).stdout.splitlines()
    assert [line.split(":")[0] for line in before] == list(DEGRADATIONS)
    assert before[2] == "realsr: kernels and noise of a profile (needs --profile)"
    monkeypatch.setitem(DEGRADATIONS, "brand-new", replace(DEGRADATIONS["bicubic"], summary="of its own"))
    assert runner.invoke(app, ["degrade", "--list"]).stdout.splitlines() == [*before, "brand-new: of its own"]


def test_discriminators_with_dense_heads_are_told_by_their_argument() -> None:
    from wildsr.networks import FIXED_PATCH

    assert FIXED_PATCH == ("srgan", "vgg-128", "vgg-small", "enhancenet")
