"""`wildsr serve`: a private upscaling service: page, HTTP API, job queue."""

import socket
from pathlib import Path

from wildsr.cli import serve_options as options
from wildsr.cli import signals
from wildsr.cli.console import data, say
from wildsr.errors import UsageError
from wildsr.models import COMPACT_MODEL


def serve(
    host: options.Host = "127.0.0.1",
    port: options.Port = 8000,
    models: options.Models = None,
    token: options.Token = None,
    name: options.Name = None,
    folder: options.Folder = None,
    workers: options.Workers = 1,
    threads: options.Threads = None,
    max_mp: options.MaxMp = 50.0,
    max_result_mp: options.MaxResultMp = 800.0,
    max_upload_mb: options.MaxUploadMb = 200.0,
    max_queue: options.MaxQueue = 1000,
    max_client_gb: options.MaxClientGb = 10.0,
    max_minutes: options.MaxMinutes = 60.0,
    memory: options.Memory = 4.0,
    keep_days: options.KeepDays = 7.0,
    redis: options.RedisUrl = None,
    database: options.DatabaseUrl = None,
    studies: options.Studies = None,
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
        models=tuple(models or (COMPACT_MODEL,)),
        workers=workers, threads=threads, redis=redis, database=database, studies=studies,
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
