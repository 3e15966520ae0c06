"""A database by path or URL: SQLite in a file, PostgreSQL where that is outgrown.

SQLAlchemy comes with the extras that need it; nothing else may import this module.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from sqlalchemy import Connection, Engine, MetaData, Select, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from wildsr.errors import OutputError, UsageError
from wildsr.files.display import shown

_WAIT: Final = 30
"""Seconds to wait for another writer."""
_THREADS: Final = 40
"""Connections kept: one for each thread in which a server answers, or they would queue, open and close files."""

Cell: TypeAlias = str | int | float | bool | None
"""What a column of a row holds."""


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

    @property
    def is_near(self) -> bool:
        """Whether a small read takes microseconds and waits for nobody: SQLite's readers don't wait for its writers."""
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Close what is open."""
        self.engine.dispose()


class Query:
    """A SELECT whose text is made once: building it anew takes twenty times as long as SQLite's answer.

    Args:
        database: Where it is asked.
        statement: With a `bindparam` for each value; lists of values can't be bound.
    """

    def __init__(self, database: Database, statement: Select[tuple[Cell, ...]]) -> None:
        compiled = statement.compile(dialect=database.engine.dialect)
        assert isinstance(compiled.dialect, DefaultDialect), "all dialects are"
        self._engine, self._text = database.engine, str(compiled)
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._order = compiled.positiontup  # of a driver whose values have no names

    def rows(self, values: Mapping[str, Cell]) -> list[tuple[Cell, ...]]:
        """Return what is found, with the columns in the statement's order.

        Args:
            values: For each `bindparam`.

        Raises:
            KeyError: One is missing.
        """
        bound = {**self._fixed, **values}
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                cursor.execute(
                    self._text, bound if self._order is None else tuple(bound[one] for one in self._order)
                )
                return list(cursor.fetchall())
            finally:
                cursor.close()
        finally:
            connection.close()


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
