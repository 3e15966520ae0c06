"""The machine's index settings are read as pip reads them."""

import os
from pathlib import Path

import pytest

from wildsr.assets.index import IndexSettings, index_settings


def configured(path: Path, text: str) -> dict[str, str]:
    path.write_text(text, encoding="utf-8")
    return {"PIP_CONFIG_FILE": str(path), "XDG_CONFIG_DIRS": "/nowhere", "XDG_CONFIG_HOME": "/nowhere"}


@pytest.fixture(autouse=True)
def _only_named_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("wildsr.assets.index.sys.prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")


def test_without_settings_the_library_decides() -> None:
    assert index_settings({"PIP_CONFIG_FILE": os.devnull}) == IndexSettings()
    assert IndexSettings().urls == ("",)


def test_configuration_file(tmp_path: Path) -> None:
    environ = configured(
        tmp_path / "pip.conf",
        "[global]\nindex-url = https://index.example/simple\nextra_index_url =\n  https://one.example/s\n"
        "  file:///mirror\ncert = /ca.pem\nclient-cert = /me.pem\nproxy = http://proxy.example:3128\n"
        "trusted-host = index.example\ntimeout = 99\n[install]\nno-index = false\n",
    )
    assert index_settings(environ) == IndexSettings(
        urls=("https://index.example/simple", "https://one.example/s", "file:///mirror"),
        certificate="/ca.pem",
        client_certificate="/me.pem",
        proxy="http://proxy.example:3128",
        trusted_hosts=("index.example",),
        timeout=99.0,
    )


def test_environment_overrides_files(tmp_path: Path) -> None:
    environ = configured(tmp_path / "pip.conf", "[global]\nindex-url = https://a.example\ncert = /a.pem\n")
    environ |= {"PIP_INDEX_URL": "https://b.example", "PIP_EXTRA_INDEX_URL": "https://c.example ssh://d"}
    settings = index_settings(environ)
    assert settings.urls == ("https://b.example", "https://c.example")
    assert settings.certificate == "/a.pem"


def test_extra_index_keeps_the_default_first() -> None:
    environ = {"PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": "https://c.example"}
    assert index_settings(environ).urls == ("", "https://c.example")


def test_no_index_leaves_only_folders(tmp_path: Path) -> None:
    environ = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}
    environ["PIP_FIND_LINKS"] = f"{tmp_path} {tmp_path.as_uri()} https://links.example/page /nowhere"
    settings = index_settings(environ)
    assert settings.urls == ()
    assert settings.folders == (tmp_path, tmp_path)


@pytest.mark.parametrize(("given", "expected"), [("-3", 30.0), ("soon", 30.0), ("7.5", 7.5)])
def test_default_timeout(given: str, expected: float) -> None:
    environ = {"PIP_CONFIG_FILE": os.devnull, "PIP_DEFAULT_TIMEOUT": given}
    assert index_settings(environ).timeout == expected


@pytest.mark.parametrize("text", ["no section = 1\n", "[global\n", "[global]\nx"])
def test_damaged_file_is_left_to_pip(tmp_path: Path, text: str) -> None:
    assert index_settings(configured(tmp_path / "pip.conf", text)).urls == ("",)
    (tmp_path / "pip.conf").write_bytes(b"[global]\nindex-url = \xff\xfe")
    assert index_settings(configured(tmp_path / "other", "")).urls == ("",)
    assert index_settings({"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}).urls == ("",)


def test_user_and_virtual_environment_files(tmp_path: Path) -> None:
    for folder, line in (
        ("home/.config/pip", "index-url = https://user.example"),
        ("prefix", "cert = /venv.pem"),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pip.conf").write_text(f"[global]\n{line}\n")
    settings = index_settings({"XDG_CONFIG_DIRS": "/nowhere"})
    assert (settings.urls, settings.certificate) == (("https://user.example",), "/venv.pem")
