"""Pages: Jinja2 templates around one base, the style sheet of the reports, small scripts, nothing from elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from wildsr.service.web import Refused
from wildsr.version import __version__

_HERE: Final = Path(__file__).parent
_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One entry of the page's navigation."""

    name: str
    """What it is called."""

    path: str
    """Where it leads."""


TABS: Final = (
    Tab(name="Upscale", path="/"),
    Tab(name="Profile", path="/profile"),
    Tab(name="Compare", path="/compare"),
    Tab(name="Studies", path="/study"),
)


class Pages:
    """Renders templates of `templates/`; every value is escaped, a name that is missing is an error.

    Args:
        tabs: What the navigation shows.
    """

    def __init__(self, tabs: tuple[Tab, ...] = TABS) -> None:
        self._tabs = tabs
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(
        self, request: Request, template: str, values: Mapping[str, object], *, status: int = 200
    ) -> Response:
        """Return a page.

        Args:
            request: What it answers; decides which tab is marked.
            template: File in `templates/`, one that extends `base.html`.
            values: What the template shows.
            status: HTTP status.
        """
        top = "/" + request.url.path.split("/")[1]
        known = {"tabs": self._tabs, "here": top, "version": __version__}
        return HTMLResponse(self._templates.get_template(template).render({**known, **values}), status)


def static_router() -> APIRouter:
    """Return the routes of style sheets and scripts: the files of `static/` and no others, read once."""
    router = APIRouter()
    files = {
        path.relative_to(_HERE / "static").as_posix(): path.read_bytes()
        for path in (_HERE / "static").rglob("*")
        if path.suffix in _TYPES
    }
    files["report.css"] = resources.files("wildsr.report").joinpath("style.css").read_bytes()

    @router.get("/static/{name:path}", include_in_schema=False)
    async def static(name: str) -> Response:
        if name not in files:
            raise Refused(404, "there is no such file")
        return Response(
            files[name],
            media_type=_TYPES[Path(name).suffix],
            headers={"cache-control": "no-cache"},
        )

    return router
