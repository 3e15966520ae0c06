"""The options of `wildsr serve`: names, types, help. Their defaults stand in the command."""

from pathlib import Path
from typing import Annotated

import typer

Host = Annotated[str, typer.Option(help="Address to listen on; any other than 127.0.0.1 needs a token.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "-m",
        "--models",
        help="Model that jobs may choose: catalog name, model file, or folder of a training run. Repeat it; "
        "the first is the default. [default: the one that upscale takes]",
        show_default=False,
    ),
]
Token = Annotated[
    list[str] | None,
    typer.Option(
        envvar="WILDSR_TOKEN",
        help="Who has it may use the service. Repeat it to give each person one: jobs are theirs alone. "
        "Better in the environment than here, where others may see it.",
        show_default=False,
    ),
]
Name = Annotated[
    list[str] | None,
    typer.Option(
        help="Further name the service is reached by, as in http://NAME/; repeat it.", show_default=False
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        help="Where photos and results are kept.  [default: `service` in wildsr's cache]", show_default=False
    ),
]
Workers = Annotated[
    int, typer.Option(help="Processes that compute; each holds one model. 0 takes jobs in and does none.")
]
Threads = Annotated[
    int | None, typer.Option(help="CPU threads of each worker; by default they share the cores.")
]
MaxMp = Annotated[float, typer.Option(help="Largest photo, in megapixels.")]
MaxResultMp = Annotated[float, typer.Option(help="Largest result, in megapixels.")]
MaxUploadMb = Annotated[float, typer.Option(help="Largest upload, in MB.")]
MaxQueue = Annotated[int, typer.Option(help="Jobs waiting; one client may have half of them.")]
MaxClientGb = Annotated[float, typer.Option(help="Photos and results kept for one client.")]
MaxMinutes = Annotated[float, typer.Option(help="Longest a job may run.")]
Memory = Annotated[float, typer.Option(help="GB one worker may take before it is ended.")]
KeepDays = Annotated[float, typer.Option(help="Finished jobs are deleted after this many days.")]
RedisUrl = Annotated[
    str | None, typer.Option(help="Redis that wakes workers, redis://host:6379/0; SQLite by default.")
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="A SQLite file or an SQLAlchemy URL, postgresql+psycopg://user@host/name; a file in the folder by default."
    ),
]
Studies = Annotated[
    str | None,
    typer.Option(
        envvar="WILDSR_STUDIES",
        help="Show the studies of this database (a file or a URL; wildsr study create makes them).",
        show_default=False,
    ),
]
