"""A database by path or URL: SQLite in a file, PostgreSQL where that is outgrown.

SQLAlchemy comes with the extras that need it; nothing else may import this module.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from wildsr.errors import OutputError, UsageError
from wildsr.files.display import shown

_WAIT: Final = 30
"""Seconds to wait for another writer."""
_THREADS: Final = 40
"""Connections kept: one for each thread in which a server answers, or they would queue, open and close files."""


class Database:
    """An engine with tables in it.

    Args:
        place: A file of SQLite, or SQLAlchemy's URL: `sqlite:///FILE`, `postgresql+psycopg://…`.
        tables: What it must hold; made where missing.
        make: Whether a file that doesn't exist is made.

    Raises:
        UsageError: No such URL, its driver is missing, or there is no such file.
        OutputError: The database can't be opened.
    """

    def __init__(self, place: str | Path, tables: MetaData, *, make: bool = True) -> None:
        url = place if isinstance(place, str) and "://" in place else f"sqlite:///{place}"
        self.place = _without_password(url) if "://" in str(place) else shown(place)
        if not make and "://" not in str(place) and not Path(place).is_file():
            raise UsageError(f"there is no database {self.place}")
        self.engine = _engine(url, self.place)
        try:
            tables.create_all(self.engine)
        except SQLAlchemyError as error:
            self.engine.dispose()
            raise OutputError(
                f"can't open the database {self.place}: {first_line(error)}",
                hint="is it a database, is its server running, and may this user write there?",
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


def _engine(url: str, place: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            options = {"timeout": _WAIT, "check_same_thread": False}
            engine = create_engine(parsed, connect_args=options, pool_size=_THREADS)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)
    except (ArgumentError, ModuleNotFoundError, SQLAlchemyError) as error:
        raise UsageError(
            f"can't use the database {place}: {first_line(error)}",
            hint="a file, or postgresql+psycopg://user@host/name (pip install 'psycopg[binary]')",
        ) from error


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection), "listened to on SQLite's engines alone"
    connection.isolation_level = None  # transactions are begun below, not by the driver
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA busy_timeout={_WAIT * 1000}")


def _begin_sqlite(connection: Connection) -> None:
    """Writers wait for each other at the start: one that has read first could not wait any more."""
    writes = connection.get_execution_options().get("wildsr_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _without_password(url: str) -> str:
    try:
        return shown(make_url(url).render_as_string(hide_password=True))
    except ArgumentError:
        return "given"


def first_line(error: Exception) -> str:
    """Return what an error says, in one line."""
    return shown(str(error).splitlines()[0][:300]) if str(error) else type(error).__name__
