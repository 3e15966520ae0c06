"""The database: tables of jobs, turns and speeds, on SQLite or PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from wildsr.errors import OutputError, UsageError

metadata: Final = MetaData()

jobs: Final = Table(
    "jobs",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), unique=True, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(32), nullable=False),
    Column("client", String(100), nullable=False),
    Column("name", Text, nullable=False),
    Column("model", String(200), nullable=False),
    Column("options", Text, nullable=False),
    Column("input_bytes", Integer, nullable=False),
    Column("result_bytes", Integer, nullable=False, default=0),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    Column("changed", Float, nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("worker", String(100)),
    Column("lease_until", Float),
    Column("steps_done", Integer, nullable=False, default=0),
    Column("steps", Integer),
    Column("result", Text),
    Column("facts", Text, nullable=False, default="{}"),
    Column("error", Text),
    Column("hint", Text),
    Index("jobs_by_state", "state", "client", "seq"),
    Index("jobs_by_owner", "owner", "seq"),
    Index("jobs_by_change", "changed"),
    sqlite_autoincrement=True,
)
"""One row a job. `facts` is JSON: what the worker found out about photo and result."""

turns: Final = Table(
    "turns",
    metadata,
    Column("client", String(100), primary_key=True),
    Column("served", Float, nullable=False),
)
"""When each client was served last."""

speeds: Final = Table(
    "speeds",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("scale", Integer),
    Column("seconds_per_pixel", Float),
    Column("loaded", Boolean, nullable=False),
    Column("error", Text),
)
"""What workers found when they loaded a model."""


class Database:
    """An engine with the tables in it.

    Args:
        url: SQLAlchemy's; `sqlite:///FILE` or `postgresql+psycopg://…`.

    Raises:
        UsageError: No such URL, or its driver is missing.
        OutputError: The database can't be opened.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        try:
            metadata.create_all(self.engine)
        except SQLAlchemyError as error:
            raise OutputError(
                f"can't open the database {_without_password(url)}: {_first_line(error)}",
                hint="is the server running, and may this user write there?",
            ) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose changes are committed together when the block ends well."""
        with self.engine.connect() as connection:
            writing = connection.execution_options(wildsr_writes=True)
            with writing.begin():
                yield writing

    def close(self) -> None:
        """Close what is open."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)
    except (ArgumentError, ModuleNotFoundError, SQLAlchemyError) as error:
        raise UsageError(
            f"can't use the database {_without_password(url)}: {_first_line(error)}",
            hint="sqlite:////path/jobs.sqlite, or postgresql+psycopg://user@host/name (pip install 'psycopg[binary]')",
        ) from error


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection), "listened to on SQLite's engines alone"
    connection.isolation_level = None  # transactions are begun below, not by the driver
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=30000")


def _begin_sqlite(connection: Connection) -> None:
    """Writers wait for each other at the start: one that has read first could not wait any more."""
    writes = connection.get_execution_options().get("wildsr_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "given"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
