"""Reads of the jobs table from the event loop: threads would cost more than the answer."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from wildsr.files.database import Database

P = ParamSpec("P")
T = TypeVar("T")


async def looked_up(database: Database, look: Callable[P, T], *args: P.args, **names: P.kwargs) -> T:
    """Return what a small read finds, read at once where the database is near, else in a thread.

    Hundreds who ask at a time would else fill the threads, which take turns with the loop at the interpreter's lock.
    """
    if database.is_near:
        return look(*args, **names)
    return await run_in_threadpool(look, *args, **names)


def as_json(view: BaseModel, status: int = 200) -> Response:
    """Return a view as an answer; it is valid already, and need not be checked again on its way out."""
    return Response(view.model_dump_json(), status, media_type="application/json")
