"""A real server in this process, and requests to it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import uvicorn
from fastapi import FastAPI

from wildsr.service.http import BoundedHttp


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port of 127.0.0.1; gives its address."""
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=0, log_config=None, lifespan="on", ws="none", http=BoundedHttp
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server ended before it began"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def code_of(response: requests.Response) -> tuple[int, str]:
    """Return the status and the named reason of a refusal."""
    return response.status_code, response.json()["error"]["code"]
