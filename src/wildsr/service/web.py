"""A FastAPI app with the service's manners: access checked first, strict headers, errors told in one form."""

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wildsr.errors import WildsrError
from wildsr.service.access import HEADERS, Access
from wildsr.version import __version__

log = logging.getLogger("wildsr.service")

_CODES: Final[Mapping[int, str]] = {
    400: "bad_request", 401: "no_token", 403: "cross_site", 404: "not_found", 405: "not_allowed", 408: "too_slow",
    409: "conflict", 413: "too_large", 415: "wrong_type", 421: "wrong_host", 422: "bad_value", 429: "too_many",
    503: "not_ready", 507: "no_space",
}  # fmt: skip

_HEADERS: Final = tuple(
    (name.encode(), value.encode()) for name, value in {**HEADERS, "cache-control": "no-store"}.items()
)


class View(BaseModel):
    """Part of an answer; the texts below its fields are in the OpenAPI document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ErrorDetail(View):
    """What went wrong."""

    code: str
    """For programs."""

    message: str
    """What was given, and what is allowed."""

    hint: str | None = None
    """What to do next."""


class ErrorBody(View):
    """Every answer that is no success."""

    error: ErrorDetail
    """What went wrong."""


class Refused(Exception):  # noqa: N818 -- an answer, not a fault
    """Ends a request with a status and a reason."""

    def __init__(
        self, status: int, message: str, *, hint: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint
        self.headers = dict(headers or {})


def responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Describe, for the OpenAPI document, the refusals a route can answer with; those of `Access` always can be."""
    return {
        status: {"model": ErrorBody, "description": _CODES[status].replace("_", " ")}
        for status in sorted({*statuses, 400, 401, 403, 405, 421})
    }


def answer(
    status: int, message: str, *, hint: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a refusal."""
    body = ErrorBody(error=ErrorDetail(code=_CODES.get(status, "error"), message=message, hint=hint))
    return JSONResponse(body.model_dump(), status, headers=dict(headers or {}))


Observe: TypeAlias = Callable[[str, str, int, float], None]
"""Called after each answer with (method, path of the route, status, seconds)."""


def new_app(access: Access, *, title: str = "wildsr", observe: Observe | None = None) -> FastAPI:
    """Return an app without routes: `Gate` around it, refusals as `ErrorBody`, OpenAPI at /openapi.json."""
    app = FastAPI(
        title=title, version=__version__, docs_url=None, redoc_url=None, openapi_url="/openapi.json"
    )
    app.add_middleware(Gate, access=access, observe=observe)
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(WildsrError, _on_wildsr_error)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_bug)
    return app


class Gate:
    """Checks access before anything of a request's body is read, adds headers, and logs."""

    def __init__(self, app: ASGIApp, access: Access, observe: Observe | None = None) -> None:
        self.app = app
        self.access = access
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        start = time.perf_counter()
        status = 0
        request_id = secrets.token_hex(6)

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                sent = message.setdefault("headers", [])
                names = {name for name, _ in sent}
                message["headers"] = [
                    *sent,
                    *(one for one in _HEADERS if one[0] not in names),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        scope["state"] = {**scope.get("state", {}), "owner": self.access.owner_of(headers)}
        refusal = self.access.refusal(scope["method"], scope["path"], headers)
        try:
            if refusal is None:
                await self.app(scope, receive, send_on)
            else:
                await self._turn_down(scope, receive, send_on, refusal.status, refusal.message)
        finally:
            seconds = time.perf_counter() - start
            path = str(getattr(scope.get("route"), "path", "-"))
            if self._observe is not None:
                self._observe(scope["method"], path, status, seconds)
            facts = {"id": request_id, "method": scope["method"], "path": path, "status": status}
            log.info("request", extra={"facts": {**facts, "ms": round(1000 * seconds, 1)}})

    async def _turn_down(self, scope: Scope, receive: Receive, send: Send, status: int, message: str) -> None:
        response: Response = answer(status, message)
        wants_page = "text/html" in Headers(scope=scope).get("accept", "")
        if status == 401 and scope["method"] == "GET" and wants_page:
            response = RedirectResponse("/login", 303)
        elif status == 401:
            response.headers["www-authenticate"] = "Bearer"
        await response(scope, receive, send)


def owner(request: Request) -> str:
    """Return whose request this is; the gate has checked that it is somebody's."""
    found = request.state.owner
    return found if isinstance(found, str) else "open"


# Told by the loop itself: handlers that are no coroutines would each take the turn of a thread.


async def _on_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused), "registered for it alone"
    return answer(error.status, str(error), hint=error.hint, headers=error.headers)


async def _on_wildsr_error(_request: Request, error: Exception) -> Response:
    hint = error.hint if isinstance(error, WildsrError) else None
    return answer(422, str(error), hint=hint)


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for it alone"
    return answer(error.status_code, str(error.detail), headers=error.headers)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for it alone"
    told = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors()[:5])
    return answer(422, told)


async def _on_bug(_request: Request, error: Exception) -> Response:
    log.exception("unexpected error", exc_info=error)
    return answer(
        500, "something unexpected went wrong here", hint="this is a bug in wildsr: please report it"
    )
