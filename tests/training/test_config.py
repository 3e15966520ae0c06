"""Configurations: TOML both ways, path-exact errors with the nearest names."""

import tomllib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wildsr.errors import UsageError
from wildsr.recipes import RECIPES
from wildsr.recipes.psnr import PRESETS, PsnrConfig
from wildsr.training.config import configure, differences, field_docs, from_toml, to_toml
from wildsr.training.settings import DataSettings, OptimiserSettings, RunSettings

CASES = [(recipe, preset) for recipe, item in RECIPES.items() for preset in item.presets]


def test_every_recipe_has_the_preset_it_takes_by_itself() -> None:
    assert all(item.default in item.presets for item in RECIPES.values())


@pytest.mark.parametrize(("recipe", "preset"), CASES)
def test_every_preset_survives_printing_and_reading(recipe: str, preset: str) -> None:
    config = RECIPES[recipe].presets[preset]
    assert from_toml(type(config), to_toml(config)) == config
    assert configure(config) == config


@pytest.mark.parametrize("kind", [PsnrConfig, DataSettings, OptimiserSettings, RunSettings])
def test_every_field_is_documented(kind: type) -> None:
    docs = field_docs(kind)
    assert docs.keys() == set(kind.__dataclass_fields__)
    text = to_toml(PRESETS["compact-cpu"])
    for doc in field_docs(RunSettings).values():
        assert f"# {doc.splitlines()[0]}" in text


def test_settings_by_path() -> None:
    config = configure(
        PRESETS["compact-cpu"],
        sets=[
            "data.patch=96",
            "data.hr=/some/where",
            'start="a b"',
            "optimiser.milestones=[0.25, 0.5]",
            "arguments.scale=2",
            "run.compile=true",
        ],
    )
    assert config.data.patch == 96
    assert config.data.hr == Path("/some/where")
    assert config.start == "a b"
    assert config.optimiser.milestones == (0.25, 0.5)
    assert config.arguments == {"scale": 2}
    assert config.run.compile is True
    assert configure(config, sets=["start=none"]).start is None


def test_a_file_then_single_settings(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('network = "rcan-small"\n[data]\npatch = 48\nbatch = 2\n')
    config = configure(PRESETS["compact-cpu"], file=file, sets=["data.batch=3"])
    assert (config.network, config.data.patch, config.data.batch) == ("rcan-small", 48, 3)


@pytest.mark.parametrize(
    ("file", "sets", "ends_by"),
    [
        ("", [], (6000, 3600)),
        ("", ["run.steps=7"], (7, 0)),
        ("", ["run.time_budget=60"], (6000, 60)),
        ("", ["run.time_budget=0", "run.steps=7"], (7, 0)),
        ("run.steps = 7", [], (7, 0)),
        ("run.steps = 7", ["run.time_budget=60"], (7, 60)),
        ("run.time_budget = 60", ["run.steps=7"], (7, 0)),
        ("run.time_budget = 60", [], (6000, 60)),
        ("[run]\nsteps = 7\ntime_budget = 60", [], (7, 60)),  # as `--print-config` writes it
        ("[run]\nsteps = 7\ntime_budget = 60", ["run.seed=1"], (7, 60)),
    ],
)
def test_steps_switch_off_an_earlier_time_budget(
    file: str, sets: list[str], ends_by: tuple[int, float], tmp_path: Path
) -> None:
    (tmp_path / "c.toml").write_text(file)
    run = configure(PRESETS["compact-cpu"], file=tmp_path / "c.toml", sets=sets).run
    assert (run.steps, run.time_budget) == ends_by


def test_steps_and_a_time_budget_side_by_side_are_refused_by_name() -> None:
    with pytest.raises(
        UsageError, match=r"run\.steps = 7 and run\.time_budget = 60 are both given"
    ) as caught:
        configure(PRESETS["compact-cpu"], sets=["run.time_budget=60", "run.steps=7"])
    assert "leave one of them out" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("data.pach=96", "unknown setting `data.pach`", "did you mean patch"),
        ("optimizer.learning_rate=1", "unknown setting `optimizer`", "did you mean optimiser"),
        ("run.zzzzzz=1", "unknown setting `run.zzzzzz`", "known are steps, time_budget"),
        ("data=5", "`data` is a table of settings, not 5", None),
        ("data.patch", "expected name=value", "for example"),
        ("=5", "expected name=value", "for example"),
    ],
)
def test_unknown_keys_are_named_with_their_path_and_the_nearest_names(
    text: str, message: str, hint: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        configure(PRESETS["compact-cpu"], sets=[text])
    assert message in str(caught.value)
    if hint:
        assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data.patch=0", "`data.patch` = 0: Input should be greater than or equal to 1"),
        ("data.patch=big", "`data.patch` = 'big'"),
        ("loss=l3", "`loss` = 'l3': unknown pixel loss `l3`"),
        ("optimiser.learning_rate=-1", "`optimiser.learning_rate` = -1"),
        ("run.device=tpu", "Input should be 'auto', 'cpu' or 'cuda'"),
        ("run.ema=nan", "`run.ema`"),
    ],
)
def test_wrong_values_are_named_with_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        configure(PRESETS["compact-cpu"], sets=[text])
    assert message in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_hostile_settings_end_in_a_named_error_or_a_configuration(text: str) -> None:
    with suppress(UsageError):
        assert isinstance(configure(PRESETS["compact-cpu"], sets=[text]), PsnrConfig)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[data", b"data = 1", b"a" * 10_000, b"[" * 50_000])
def test_hostile_config_files_end_in_a_named_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes(content)
    with pytest.raises(UsageError):
        configure(PRESETS["compact-cpu"], file=file)
    with pytest.raises(UsageError, match="can't read"):
        configure(PRESETS["compact-cpu"], file=tmp_path / "missing.toml")


def test_differences_are_listed_by_path() -> None:
    one = PRESETS["compact-cpu"]
    other = replace(one, loss="l2", data=replace(one.data, patch=64, workers=3, hr=Path("/x")))
    assert differences(to_toml(one), to_toml(other)) == [
        "data.hr: not set → /x",
        f"data.patch: {one.data.patch} → 64",
        "loss: l1 → l2",
    ]
    assert differences(to_toml(one), to_toml(one)) == []


def test_printed_configuration_is_toml() -> None:
    parsed = tomllib.loads(to_toml(PRESETS["compact-cpu"]))
    assert parsed["data"]["patch"] == PRESETS["compact-cpu"].data.patch
