"""`wildsr study serve`: the pages on which people judge."""

from typing import Annotated

import typer

from wildsr.cli import signals
from wildsr.cli import study_options as options
from wildsr.cli.console import data, say
from wildsr.errors import UsageError

DATABASE = "studies.sqlite"


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; any other than 127.0.0.1 needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    token: Annotated[
        list[str] | None,
        typer.Option(
            envvar="WILDSR_TOKEN",
            help="Who has it may look at results; raters need none, only their link. Repeat it.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="Further name the pages are reached by, as in http://NAME/; repeat it.", show_default=False
        ),
    ] = None,
    database: options.Database = DATABASE,
) -> None:
    """Show the studies of a database: pages for raters, progress and results for you.

    The links for raters are printed to stdout, the log goes to stderr as JSON lines. Ctrl-C ends it. `wildsr serve
    --studies` shows the same pages beside its own.
    """
    try:
        from wildsr.service.access import Access, is_loopback
        from wildsr.service.server import listen, run_app
        from wildsr.service.study_server import study_app
        from wildsr.study.store import StudyStore
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the pages need the package {error.name}, which is not installed",
            hint='pip install "wildsr[serve]"',
        ) from error
    access = Access(host=host, tokens=tuple(token or ()), names=tuple(name or ()))
    store = StudyStore(database, make=False)
    studies = store.studies()
    listener = listen(host, port)

    def tell() -> None:
        at, where = listener.getsockname()[:2]
        address = f"http://[{at}]:{where}" if ":" in at else f"http://{at}:{where}"
        say(f"progress and results: {address}/study")
        for study in studies:
            data(f"{study.name}\t{address}/study/rate/{study.invitation}")
        if not is_loopback(host):
            say("reached from other machines without encryption: put a proxy with TLS before it")

    try:
        with signals.patient():
            run_app(study_app(store, access), listener, started=tell)
    finally:
        store.close()
