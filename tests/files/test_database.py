"""Databases: transactions that hold or fail whole, and places that hold none."""

from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="neither the serve nor the study extra is installed")

from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from wildsr.errors import OutputError, UsageError
from wildsr.files.database import Database

TABLES = MetaData()
NUMBERS = Table("numbers", TABLES, Column("n", Integer, primary_key=True))


def test_what_fails_inside_a_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "db.sqlite", TABLES)
    with database.write() as connection:
        connection.execute(insert(NUMBERS).values(n=1))

    def fail() -> None:
        with database.write() as connection:
            connection.execute(insert(NUMBERS).values(n=2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        assert list(connection.execute(select(NUMBERS.c.n)).scalars()) == [1]
    database.close()


def test_a_reader_sees_one_state(tmp_path: Path) -> None:
    database = Database(tmp_path / "db.sqlite", TABLES)
    with database.read() as reader:
        assert not list(reader.execute(select(NUMBERS)))
        with database.write() as writer:
            writer.execute(insert(NUMBERS).values(n=1))
        assert not list(reader.execute(select(NUMBERS)))
    with database.read() as reader:
        assert len(list(reader.execute(select(NUMBERS)))) == 1
    database.close()


def test_places_that_hold_no_database(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no database"):
        Database(tmp_path / "none.sqlite", TABLES, make=False)
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "text").write_text("hello, this is not a database at all\n" * 100)
    with pytest.raises(OutputError, match="can't open the database"):
        Database(tmp_path / "text", TABLES)
    with pytest.raises(UsageError, match="can't use the database"):
        Database("nosuchthing://host/name", TABLES)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises((UsageError, OutputError)) as caught:
        Database("nosuchthing://user:s3cret@host/name", TABLES)
    assert "s3cret" not in str(caught.value) + str(caught.value.hint)
