"""The machine's own package-index settings: environment variables and pip's configuration files.

What pip would use is used: the environment (`PIP_INDEX_URL`, …) overrides the file that `PIP_CONFIG_FILE` names,
that the environment's own file, that the user's, that the machine's. Proxies and certificates named by the usual
variables (`HTTPS_PROXY`, `REQUESTS_CA_BUNDLE`, …) and `.netrc` are honoured by the HTTP library itself.
"""

import configparser
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

_KEYS = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "cert",
    "client-cert",
    "proxy",
    "trusted-host",
    "timeout",
)
_DEFAULT_TIMEOUT = 30.0


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """Where and how packages are fetched."""

    urls: tuple[str, ...] = ("",)
    """Simple-API addresses in order; an empty one means the fetching library's own default."""

    folders: tuple[Path, ...] = ()
    """Folders of archives (`find-links`), looked into before any index."""

    certificate: str | None = None
    """CA bundle to trust; None trusts the system's."""

    client_certificate: str | None = None
    """Certificate to show to the index."""

    proxy: str | None = None
    """Proxy for all requests; None leaves it to the environment."""

    trusted_hosts: tuple[str, ...] = ()
    """Hosts whose certificate isn't checked (our own digests still are)."""

    timeout: float = _DEFAULT_TIMEOUT
    """Seconds without an answer after which a request is given up."""


def index_settings(environ: Mapping[str, str] = os.environ) -> IndexSettings:
    """Read the settings pip would use: configuration files, overridden by PIP_* variables."""
    values: dict[str, str] = {}
    for file in _configuration_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue  # pip itself complains about such a file; fetching can do without it
        for section in ("global", "install", "download"):
            if parser.has_section(section):
                values.update({key.replace("_", "-"): value or "" for key, value in parser.items(section)})
    if "default-timeout" in values:
        values.setdefault("timeout", values["default-timeout"])
    for key in (*_KEYS, "default-timeout"):
        if variable := environ.get("PIP_" + key.upper().replace("-", "_")):
            values["timeout" if key == "default-timeout" else key] = variable
    return _settings({key: values.get(key, "").strip() for key in _KEYS})


def _settings(values: Mapping[str, str]) -> IndexSettings:
    urls = [*(values["index-url"].split() or [""]), *values["extra-index-url"].split()]
    if values["no-index"].lower() in {"1", "true", "yes", "on"}:
        urls = []
    try:
        timeout = float(values["timeout"])
    except ValueError:
        timeout = 0.0
    return IndexSettings(
        urls=tuple(url for url in urls if not url or urlsplit(url).scheme in {"http", "https", "file"}),
        folders=tuple(folder for link in values["find-links"].split() if (folder := _folder(link))),
        certificate=values["cert"] or None,
        client_certificate=values["client-cert"] or None,
        proxy=values["proxy"] or None,
        trusted_hosts=tuple(values["trusted-host"].split()),
        timeout=timeout if timeout > 0 else _DEFAULT_TIMEOUT,
    )


def _folder(link: str) -> Path | None:
    """Return the local folder a find-links entry names; pages of links are left to pip."""
    parts = urlsplit(link)
    path = url2pathname(parts.path) if parts.scheme == "file" else os.path.expanduser(link)  # noqa: PTH111
    return Path(path) if os.path.isdir(path) else None  # noqa: PTH112 -- unlike pathlib's, these never raise


def _configuration_files(environ: Mapping[str, str]) -> list[Path]:
    """Pip's files from the most general to the most specific."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    try:
        home = Path.home()
    except RuntimeError:  # a user without one
        home = Path(os.devnull)
    if sys.platform == "win32":
        shared = [Path(environ.get("PROGRAMDATA", "C:/ProgramData")) / "pip" / "pip.ini"]
        user = [home / "pip" / "pip.ini", Path(environ.get("APPDATA", home)) / "pip" / "pip.ini"]
        own = Path(sys.prefix) / "pip.ini"
    else:
        folders = [folder for folder in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":") if folder]
        shared = [Path(folder) / "pip" / "pip.conf" for folder in folders] + [Path("/etc/pip.conf")]
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        user = [home / ".pip" / "pip.conf", config / "pip" / "pip.conf"]
        if sys.platform == "darwin":
            shared.append(Path("/Library/Application Support/pip/pip.conf"))
            user.append(home / "Library" / "Application Support" / "pip" / "pip.conf")
        own = Path(sys.prefix) / "pip.conf"
    files = [*shared, *user, own]
    return [*files, Path(named)] if named else files
