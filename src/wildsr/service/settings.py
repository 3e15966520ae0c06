"""What an operator can choose about the service, checked once; handed to workers as JSON."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from wildsr.errors import UsageError
from wildsr.models import COMPACT_MODEL

_MODEL_ENDINGS = (".onnx", ".param")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds between what the queue does; tests shorten them."""

    lease: float = 30.0
    """A job is its worker's for this long after each beat."""

    beat: float = 1.0
    """Between two signs of life of a worker, and between two looks for lost ones."""

    upload_pause: float = 20.0
    """An upload that sends nothing for this long is refused."""

    upload_rate: int = 2_000
    """Bytes a second an upload must reach on average, after `upload_pause`."""

    stop: float = 10.0
    """Workers get to give their jobs back when the service ends."""


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """What is taken in."""

    max_mp: float = 50.0
    """Largest photo, in megapixels."""

    max_result_mp: float = 800.0
    """Largest result, in megapixels."""

    max_upload_mb: float = 200.0
    """Largest upload, all files of one request together, in MB."""

    max_files: int = 200
    """Files of one request."""

    max_queue: int = 1000
    """Jobs waiting or running; one client may have half of them."""

    max_client_gb: float = 10.0
    """Photos and results kept for one client."""

    reserve_gb: float = 1.0
    """Disk space that is left free."""

    max_streams: int = 20
    """Open event streams of one client."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0 and name != "reserve_gb":
                raise UsageError(f"--{name.replace('_', '-')} {value}: it must be above 0")


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """How the service runs."""

    folder: Path
    """Where photos and results are kept, and the database where no other is named."""

    models: tuple[str, ...] = (COMPACT_MODEL,)
    """Catalog names, model files or folders that jobs may choose from, the default first."""

    workers: int = 1
    """Processes that compute; each holds one model."""

    threads: int | None = None
    """CPU threads of each worker; None shares the cores among them."""

    database: str | None = None
    """SQLAlchemy URL; None keeps an SQLite file in the folder."""

    studies: str | None = None
    """Database of human studies, a file or a URL; None shows none."""

    redis: str | None = None
    """Redis that wakes workers; None takes an SQLite file."""

    keep_days: float = 7.0
    """Finished jobs are deleted after this many days."""

    max_minutes: float = 60.0
    """Longest a job may run."""

    memory_gb: float = 4.0
    """Memory one worker may take before it is ended."""

    quotas: Quotas = field(default_factory=Quotas)
    """What is taken in."""

    timing: Timing = field(default_factory=Timing)
    """The queue's clock."""

    def __post_init__(self) -> None:
        if not 0 <= self.workers <= 64:
            raise UsageError(
                f"--workers {self.workers}: from 0 (jobs are taken in, none is done) to 64 are possible"
            )
        for name in ("keep_days", "max_minutes", "memory_gb"):
            if not getattr(self, name) > 0:
                raise UsageError(f"--{name.replace('_', '-')} {getattr(self, name)}: it must be above 0")
        if not self.models:
            raise UsageError("no model was named", hint=f"--models {COMPACT_MODEL}")
        names = [model_label(one) for one in self.models]
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice:
            raise UsageError(f"two models are called {twice[0]}", hint="rename one of the files")

    @property
    def model_files(self) -> dict[str, str]:
        """What each model that jobs may name is loaded from."""
        return {model_label(one): one for one in self.models}

    @property
    def database_url(self) -> str:
        """Where the jobs table is."""
        return self.database or f"sqlite:///{self.folder / 'jobs.sqlite'}"

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> "ServiceSettings":
        """Return what `to_json` wrote."""
        return _ADAPTER.validate_json(text)


def model_label(model: str) -> str:
    """Return the name a model goes by in the service: a file's or folder's own, without the path."""
    path = Path(model)
    return path.stem if path.suffix in _MODEL_ENDINGS else path.name


_ADAPTER: TypeAdapter[ServiceSettings] = TypeAdapter(ServiceSettings)
