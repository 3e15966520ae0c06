"""The machine's own package-index settings: environment variables and pip's configuration files."""

import configparser
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """Where and how packages are fetched."""

    urls: tuple[str, ...]
    """Simple-API addresses in order; empty means the fetching library's own default."""

    certificate: str | None
    """CA bundle to trust; None trusts the system's."""


def index_settings() -> IndexSettings:
    """Read the settings pip would use: configuration files, overridden by PIP_* variables."""
    values: dict[str, str] = {}
    for file in _configuration_files():
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue  # pip itself complains about such a file; fetching can do without it
        for section in ("global", "download", "install"):
            if parser.has_section(section):
                values.update(parser.items(section))
    for key in ("index-url", "extra-index-url", "cert"):
        variable = os.environ.get("PIP_" + key.upper().replace("-", "_"))
        if variable:
            values[key] = variable
    urls = [*values.get("index-url", "").split(), *values.get("extra-index-url", "").split()]
    remote = tuple(url for url in urls if url.startswith(("http://", "https://")))
    only_extra = not values.get("index-url", "").split()
    return IndexSettings(
        urls=remote if not only_extra else ("", *remote), certificate=values.get("cert", "").strip() or None
    )


def _configuration_files() -> list[Path]:
    """Pip's files from the most general to the most specific."""
    named = os.environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = Path.home()
    if sys.platform == "win32":
        shared = [Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "pip" / "pip.ini"]
        user = [home / "pip" / "pip.ini", Path(os.environ.get("APPDATA", home)) / "pip" / "pip.ini"]
        own = Path(sys.prefix) / "pip.ini"
    else:
        shared = [Path(folder) / "pip" / "pip.conf" for folder in _xdg_config_dirs()] + [
            Path("/etc/pip.conf")
        ]
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        user = [home / ".pip" / "pip.conf", config / "pip" / "pip.conf"]
        if sys.platform == "darwin":
            user.append(home / "Library" / "Application Support" / "pip" / "pip.conf")
        own = Path(sys.prefix) / "pip.conf"
    files = [*shared, *user, own]
    return [*files, Path(named)] if named else files


def _xdg_config_dirs() -> list[str]:
    return [folder for folder in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":") if folder]
