"""Pages of human studies, mounted at /study."""

from fastapi import APIRouter, Request, Response

from wildsr.service.pages import Pages


def study_router(pages: Pages) -> APIRouter:
    """Return the routes below /study. Those below /study/rate/ are open to raters without the service's token."""
    router = APIRouter(prefix="/study", include_in_schema=False)

    @router.get("")
    def studies(request: Request) -> Response:
        return pages.render(request, "study/list.html", {"studies": []})

    return router
