"""`wildsr serve`: a private upscaling service: page, HTTP API, job queue."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli import signals
from wildsr.cli.console import data, say
from wildsr.errors import UsageError
from wildsr.models import default_model


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; any other than 127.0.0.1 needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--models",
            help="Model that jobs may choose: catalog name, model file, or folder of a training run. Repeat it; "
            "the first is the default. [default: the one that upscale takes]",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        list[str] | None,
        typer.Option(
            envvar="WILDSR_TOKEN",
            help="Who has it may use the service. Repeat it to give each person one: jobs are theirs alone. "
            "Better in the environment than here, where others may see it.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="Further name the service is reached by, as in http://NAME/; repeat it.", show_default=False
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where photos and results are kept.  [default: `service` in wildsr's cache]",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", help="Processes that compute; each holds one model.")
    ] = 1,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads of each worker; by default they share the cores.")
    ] = None,
    max_mp: Annotated[float, typer.Option(help="Largest photo, in megapixels.")] = 50.0,
    max_result_mp: Annotated[float, typer.Option(help="Largest result, in megapixels.")] = 800.0,
    max_upload_mb: Annotated[float, typer.Option(help="Largest upload, in MB.")] = 200.0,
    max_queue: Annotated[int, typer.Option(help="Jobs waiting; one client may have half of them.")] = 1000,
    max_client_gb: Annotated[float, typer.Option(help="Photos and results kept for one client.")] = 10.0,
    max_minutes: Annotated[float, typer.Option(help="Longest a job may run.")] = 60.0,
    memory: Annotated[float, typer.Option(help="GB one worker may take before it is ended.")] = 4.0,
    keep_days: Annotated[float, typer.Option(help="Finished jobs are deleted after this many days.")] = 7.0,
    redis: Annotated[
        str | None, typer.Option(help="Redis that wakes workers, redis://host:6379/0; SQLite by default.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="SQLAlchemy URL, postgresql+psycopg://user@host/name; a file in the folder by default."
        ),
    ] = None,
) -> None:
    """Give a family or a small team a private upscaling service: a page, an HTTP API, a queue.

    The address is printed to stdout, the log goes to stderr as JSON lines. Ctrl-C or SIGTERM ends it; jobs at work go
    back into the queue and are done after the next start.
    """
    try:
        from wildsr.service.access import Access, is_loopback
        from wildsr.service.server import create_service, listen, run_app
        from wildsr.service.settings import Quotas, ServiceSettings
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the service needs the package {error.name}, which is not installed",
            hint='pip install "wildsr[serve]"',
        ) from error
    access = Access(host=host, tokens=tuple(token or ()), names=tuple(name or ()))
    settings = ServiceSettings(
        folder=(folder if folder is not None else _default_folder()).absolute(),
        models=tuple(models or (default_model(),)),
        workers=workers, threads=threads, redis=redis, database=database,
        keep_days=keep_days, max_minutes=max_minutes, memory_gb=memory,
        quotas=Quotas(
            max_mp=max_mp, max_result_mp=max_result_mp, max_upload_mb=max_upload_mb, max_queue=max_queue,
            max_client_gb=max_client_gb,
        ),
    )  # fmt: skip
    service = create_service(settings, access)
    listener = listen(host, port)

    def tell() -> None:
        data(_address(listener))
        if not is_loopback(host):
            say("reached from other machines without encryption: put a proxy with TLS before it")

    with signals.patient():
        run_app(service.app, listener, started=tell)


def _default_folder() -> Path:
    from wildsr.assets.files import cache_dir

    return cache_dir() / "service"


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
