"""Where a browser brings its token."""

from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from wildsr.service.access import COOKIE, Access, cookie_for
from wildsr.service.pages import Pages
from wildsr.service.web import Refused

_MOST_LOGIN: Final = 2000
_COOKIE_SECONDS: Final = 90 * 86_400


def login_router(pages: Pages, access: Access) -> APIRouter:
    """Return the routes of the login."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    def login(request: Request) -> Response:
        return pages.render(request, "login.html", {"wrong": False})

    @router.post("/login")
    async def enter(request: Request) -> Response:
        """Take the token once; the browser then keeps a cookie made from it, which scripts can't read."""
        given = parse_qs(await _small_body(request)).get("token", [""])[0]
        right = access.owner_of({"authorization": f"Bearer {given}"}) is not None
        if not right:
            return pages.render(request, "login.html", {"wrong": True}, status=401)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            cookie_for(given),
            max_age=_COOKIE_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    return router


async def _small_body(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_LOGIN:
            raise Refused(413, "no token is that long")
    return body.decode("utf-8", "replace")
