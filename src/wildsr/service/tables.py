"""The database: tables of jobs, turns and speeds, on SQLite or PostgreSQL."""

from typing import Final

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

from wildsr.files.database import Database

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
    Index("jobs_by_client", "client", "input_bytes", "result_bytes"),
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


def open_database(url: str) -> Database:
    """Return a database with these tables in it.

    Raises:
        UsageError: No such URL, or its driver is missing.
        OutputError: The database can't be opened.
    """
    return Database(url, metadata)
