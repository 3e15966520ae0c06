"""The pages on which people judge: they work by their link alone, and say nothing of methods.

Everything a rater sees is rendered here, so that a broken connection loses at most the answer being given; the link
leads back to the first question that has none.
"""

import re
from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from wildsr.errors import InputError
from wildsr.service.pages import Pages
from wildsr.service.web import Refused
from wildsr.study.design import LEVELS, Trial
from wildsr.study.judgements import SIDES, Side
from wildsr.study.records import RaterRecord, StudyRecord
from wildsr.study.store import StudyStore

_MOST_FORM: Final = 4000
_NUMBER: Final = re.compile(r"\d{1,6}(\.\d{1,3})?")
_LETTERS: Final = "ABCDEFGHIJKL"
_KEEP: Final = {"cache-control": "private, max-age=86400, immutable"}


def add_rating_routes(router: APIRouter, store: StudyStore) -> None:
    """Add the routes below /rate/ to those of /study."""
    pages = Pages(())

    def rater_of(token: str) -> tuple[RaterRecord, StudyRecord]:
        rater = store.rater(token)
        if rater is None:
            raise Refused(404, "this link leads to no study")
        return rater, store.study_of(rater)

    @router.get("/rate/{invitation}")
    def welcome(request: Request, invitation: str) -> Response:
        study = store.invited(invitation)
        if study is None:
            raise Refused(404, "this link leads to no study")
        return pages.render(request, "study/welcome.html", {"study": study, "levels": LEVELS})

    @router.post("/rate/{invitation}")
    def begin(invitation: str) -> Response:
        study = store.invited(invitation)
        if study is None:
            raise Refused(404, "this link leads to no study")
        if study.closed:
            raise Refused(409, "this study is closed")
        return RedirectResponse(f"/study/rate/by/{store.join(study).token}", 303)

    @router.get("/rate/by/{token}")
    def question(request: Request, token: str, at: int | None = None) -> Response:
        rater, study = rater_of(token)
        position = rater.answered if at is None else at
        if study.closed or (at is None and rater.finished):
            return pages.render(request, "study/done.html", {"study": study, "rater": rater})
        if not 0 <= position <= min(rater.answered, len(rater.trials) - 1):
            raise Refused(404, "this question does not come yet")
        return pages.render(request, "study/trial.html", _shown(store, study, rater, position))

    @router.post("/rate/by/{token}")
    async def answer(request: Request, token: str) -> Response:
        form = await _form(request)
        rater, study = rater_of(token)
        position = _whole(form.get("position", ""))
        if not 0 <= position < len(rater.trials):
            raise Refused(422, "there is no such question")
        values = _values(study, rater.trials[position], form)
        seconds = form.get("seconds", "")
        took = float(seconds) if _NUMBER.fullmatch(seconds) else None
        try:
            store.answer(rater, position, values, seconds=took)
        except InputError as error:
            raise Refused(409 if store.study_of(rater).closed else 422, str(error)) from error
        return RedirectResponse(f"/study/rate/by/{token}", 303)

    @router.get("/rate/by/{token}/{key}.png")
    def picture(token: str, key: str) -> Response:
        rater, _ = rater_of(token)
        found = store.stimulus(key, study=rater.study)
        if found is None:
            raise Refused(404, "there is no such picture")
        return Response(found.png, media_type="image/png", headers=_KEEP)


def _shown(store: StudyStore, study: StudyRecord, rater: RaterRecord, position: int) -> dict[str, object]:
    """What the template of a question needs; of methods nothing but random keys."""
    keys, sizes = store.keys(study), store.sizes(study)
    trial = rater.trials[position]
    given = store.answers(rater).get(position)

    def address(picture: str, method: str | None) -> str:
        return f"/study/rate/by/{rater.token}/{keys[picture, method]}.png"

    results = [
        {
            "url": address(trial.picture, method),
            "letter": _LETTERS[place],
            "value": given[place] if given else None,
        }
        for place, method in enumerate(trial.methods)
    ]
    coming = rater.trials[position + 1] if position + 1 < len(rater.trials) else None
    reference = study.design.reference_shown and (trial.picture, None) in keys
    return {
        "study": study,
        "rater": rater,
        "position": position,
        "results": results,
        "reference": address(trial.picture, None) if reference else None,
        "size": sizes[trial.picture],
        "levels": LEVELS,
        "coming": [] if coming is None else [address(coming.picture, method) for method in coming.methods],
    }


def _values(study: StudyRecord, trial: Trial, form: dict[str, str]) -> list[float]:
    protocol = study.design.protocol
    if protocol == "mos":
        return [float(_whole(form.get("level", "")))]
    if protocol == "pairwise":
        chosen: dict[str, Side] = {"left": "left", "right": "right", "same": "same"}
        side = chosen.get(form.get("side", ""))
        if side is None:
            raise Refused(422, "choose left, right or no difference")
        return list(SIDES[side])
    return [float(_whole(form.get(f"place{number}", ""))) for number in range(len(trial.methods))]


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text):
        raise Refused(422, "an answer is missing")
    return int(text)


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM:
            raise Refused(413, "no answer is that long")
    try:
        return {name: values[0] for name, values in parse_qs(body.decode("ascii", "replace")).items()}
    except ValueError as error:
        raise Refused(422, "this is no answer") from error
