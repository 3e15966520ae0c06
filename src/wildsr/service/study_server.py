"""The pages of studies by themselves, without the upscaling service."""

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse

from wildsr.service.access import Access
from wildsr.service.login import login_router
from wildsr.service.pages import Pages, Tab, static_router
from wildsr.service.study_pages import study_router
from wildsr.service.web import new_app
from wildsr.study.store import StudyStore


def study_app(store: StudyStore, access: Access) -> FastAPI:
    """Return an app that shows the studies of a store and nothing else."""
    app = new_app(access, title="wildsr studies")
    pages = Pages((Tab(name="Studies", path="/study"),))
    app.include_router(static_router())
    app.include_router(login_router(pages, access))
    app.include_router(study_router(pages, store))

    @app.get("/", include_in_schema=False)
    def start(_request: Request) -> RedirectResponse:
        return RedirectResponse("/study", 303)

    return app
