"""Pages of human studies, at /study: progress and results for those who run them."""

from typing import Final

from fastapi import APIRouter, Request, Response

from wildsr.errors import UsageError
from wildsr.service.pages import Pages
from wildsr.service.rating_pages import add_rating_routes
from wildsr.service.web import Refused
from wildsr.study.analysis import analyse
from wildsr.study.export import to_csv, to_json
from wildsr.study.page import html_report
from wildsr.study.records import StudyRecord
from wildsr.study.store import StudyStore

REPORT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
)
"""A report brings its style with it, and neither scripts nor links."""


def study_router(pages: Pages, store: StudyStore | None = None) -> APIRouter:
    """Return the routes below /study. Those below /study/rate/ are open to raters without the service's token.

    Args:
        pages: Renders.
        store: The studies; none where the service has no database of them.
    """
    router = APIRouter(prefix="/study", include_in_schema=False)

    def named(name: str) -> StudyRecord:
        found = next((one for one in store.studies() if one.name == name), None) if store else None
        if found is None:
            raise Refused(404, "there is no study of that name")
        return found

    @router.get("")
    def studies(request: Request) -> Response:
        rows = []
        for study in store.studies() if store is not None else []:
            raters = store.raters(study) if store is not None else []
            rows.append(
                {"study": study, "raters": len(raters), "finished": sum(one.finished for one in raters)}
            )
        return pages.render(request, "study/list.html", {"studies": rows, "kept": store is not None})

    if store is None:
        return router

    @router.get("/of/{name}")
    def study(request: Request, name: str) -> Response:
        found = named(name)
        raters = store.raters(found)
        link = str(request.url_for("welcome", invitation=found.invitation))
        answered = any(one.answered for one in raters)
        values = {"study": found, "raters": raters, "link": link, "answered": answered}
        return pages.render(request, "study/one.html", values)

    @router.get("/of/{name}/report")
    def report(name: str) -> Response:
        found = named(name)
        try:
            result = analyse(store.collected(found))
        except UsageError as error:
            raise Refused(409, str(error)) from error
        page = html_report(result, title=found.title)
        return Response(page, media_type="text/html", headers={"content-security-policy": REPORT_POLICY})

    @router.get("/of/{name}/answers.{kind}")
    def answers(name: str, kind: str) -> Response:
        found = named(name)
        collected = store.collected(found)
        if kind == "csv":
            text, media = to_csv(collected), "text/csv"
        elif kind == "json":
            text, media = to_json(collected, name=found.name, title=found.title), "application/json"
        else:
            raise Refused(404, "answers come as csv or json")
        disposition = f'attachment; filename="{found.name}.{kind}"'
        return Response(text, media_type=media, headers={"content-disposition": disposition})

    add_rating_routes(router, store)
    return router
