"""The tabs of the page."""

from fastapi import APIRouter, Request, Response

from wildsr.service.api import about_service
from wildsr.service.jobs import JobStore
from wildsr.service.pages import Pages
from wildsr.service.settings import ServiceSettings


def tabs_router(pages: Pages, settings: ServiceSettings, store: JobStore) -> APIRouter:
    """Return the routes of Upscale, Profile and Compare."""
    router = APIRouter(include_in_schema=False)

    def tab(request: Request, template: str) -> Response:
        return pages.render(request, template, {"about": about_service(settings, store)})

    @router.get("/")
    def upscale(request: Request) -> Response:
        return tab(request, "upscale.html")

    @router.get("/profile")
    def profile(request: Request) -> Response:
        return tab(request, "profile.html")

    @router.get("/compare")
    def compare(request: Request) -> Response:
        return tab(request, "compare.html")

    return router
