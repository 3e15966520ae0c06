"""Studies, raters and answers in a database."""

import json
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from wildsr.errors import InputError, OutputError, UsageError, did_you_mean
from wildsr.files import shown
from wildsr.files.database import Database, first_line
from wildsr.study import tables
from wildsr.study.design import Design, Trial, plan_rater
from wildsr.study.judgements import Collected, Judgement, check_values
from wildsr.study.records import RaterRecord, Stimulus, StudyRecord

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LONGEST_ANSWER: Final = 24 * 3600.0
_DESIGN: Final = TypeAdapter(Design)
_TRIALS: Final = TypeAdapter(tuple[Trial, ...])


class StudyStore:
    """The studies of a database; safe for several threads and processes.

    Args:
        place: A file of SQLite, or SQLAlchemy's URL.
        make: Whether a file that doesn't exist is made.

    Raises:
        UsageError: There is no such database.
        OutputError: It can't be opened.
    """

    def __init__(self, place: str | Path, *, make: bool = True) -> None:
        self._database = Database(place, tables.metadata, make=make)
        self.place = self._database.place

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._named(), self._database.read() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._named(), self._database.write() as connection:
            yield connection

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise OutputError(f"the database {self.place} failed: {first_line(error)}") from error

    def create(self, name: str, design: Design, stimuli: Iterable[Stimulus], *, title: str) -> StudyRecord:
        """Keep a new study.

        Raises:
            UsageError: A name that is taken or none.
            InputError: A picture can't be read (nothing is kept then).
            OutputError: The database can't be written.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"a study can't be called {shown(name)}",
                hint="up to 64 small letters, digits, - and _, beginning with a letter or digit",
            )
        with self._write() as connection:
            if connection.execute(select(tables.studies.c.id).where(tables.studies.c.name == name)).first():
                raise UsageError(
                    f"there is a study {name} in {self.place} already",
                    hint="choose another name or --database",
                )
            values = {
                "name": name,
                "title": title,
                "invitation": secrets.token_urlsafe(12),
                "design": _DESIGN.dump_json(design).decode(),
                "created": time.time(),
                "closed": False,
            }
            study = _new_row(connection.execute(insert(tables.studies).values(values)).inserted_primary_key)
            for one in stimuli:
                row = {**vars(one), "key": secrets.token_urlsafe(12), "study": study}
                connection.execute(insert(tables.stimuli).values(row))
        return self.study(name)

    def studies(self) -> list[StudyRecord]:
        """Return all studies, the oldest first."""
        return self._studies()

    def study_of(self, rater: RaterRecord) -> StudyRecord:
        """Return a rater's study.

        Raises:
            InputError: It has been deleted.
        """
        found = self._studies(tables.studies.c.id == rater.study)
        if not found:
            raise InputError("this study has been deleted")
        return found[0]

    def _studies(self, *conditions: ColumnElement[bool]) -> list[StudyRecord]:
        with self._read() as connection:
            query = select(tables.studies).where(*conditions).order_by(tables.studies.c.id)
            return [
                StudyRecord(**{**row, "design": _read_design(row["design"], row["name"])})
                for row in connection.execute(query).mappings()
            ]

    def study(self, name: str | None) -> StudyRecord:
        """Return a study by name; the only one for None.

        Raises:
            UsageError: There is none of that name, or more than one to choose from.
        """
        known = {one.name: one for one in self.studies()}
        if name is None:
            if len(known) == 1:
                return next(iter(known.values()))
            raise UsageError(
                f"{self.place} has {len(known)} studies",
                hint=f"name one of {', '.join(known)}" if known else "wildsr study create makes one",
            )
        if name not in known:
            hint = did_you_mean(name, known) if known else "wildsr study create makes one"
            raise UsageError(f"{self.place} has no study {shown(name)}", hint=hint)
        return known[name]

    def invited(self, invitation: str) -> StudyRecord | None:
        """Return the study that an invitation is for; None where it is for none."""
        return next(
            (one for one in self.studies() if secrets.compare_digest(one.invitation, invitation)), None
        )

    def delete(self, study: StudyRecord) -> None:
        """Forget a study, its pictures, raters and answers."""
        with self._write() as connection:
            mine = select(tables.raters.c.id).where(tables.raters.c.study == study.id)
            connection.execute(delete(tables.answers).where(tables.answers.c.rater.in_(mine)))
            for table in (tables.raters, tables.stimuli):
                connection.execute(delete(table).where(table.c.study == study.id))
            connection.execute(delete(tables.studies).where(tables.studies.c.id == study.id))

    def set_closed(self, study: StudyRecord, closed: bool) -> None:
        """Take no more answers, or take them again."""
        with self._write() as connection:
            connection.execute(
                update(tables.studies).where(tables.studies.c.id == study.id).values(closed=closed)
            )

    def join(self, study: StudyRecord) -> RaterRecord:
        """Return a new rater of a study."""
        token = secrets.token_urlsafe(16)
        with self._write() as connection:
            _lock(connection, tables.studies, study.id)
            last = connection.execute(
                select(func.max(tables.raters.c.number)).where(tables.raters.c.study == study.id)
            ).scalar()
            number = 0 if last is None else int(last) + 1
            trials = plan_rater(study.design, number)
            values = {
                "study": study.id,
                "number": number,
                "token": token,
                "trials": _TRIALS.dump_json(trials).decode(),
                "joined": time.time(),
            }
            row = _new_row(connection.execute(insert(tables.raters).values(values)).inserted_primary_key)
        return RaterRecord(id=row, study=study.id, number=number, token=token, trials=trials, answered=0)

    def raters(self, study: StudyRecord) -> list[RaterRecord]:
        """Return all raters of a study, in the order in which they came."""
        with self._read() as connection:
            return _raters(connection, tables.raters.c.study == study.id)

    def rater(self, token: str) -> RaterRecord | None:
        """Return the rater with a token; None where there is none."""
        with self._read() as connection:
            return next(iter(_raters(connection, tables.raters.c.token == token)), None)

    def answer(
        self, rater: RaterRecord, position: int, values: Sequence[float], *, seconds: float | None = None
    ) -> None:
        """Keep an answer; one to the same trial before is replaced.

        Raises:
            InputError: It fits no trial of the rater, or comes before its turn.
        """
        if not 0 <= position < len(rater.trials):
            raise InputError(f"there is no trial {position}; this rater has {len(rater.trials)}")
        study = self.study_of(rater)
        if study.closed:
            raise InputError("this study is closed; it takes no more answers")
        found = check_values(study.design.protocol, rater.trials[position], values)
        took = None if seconds is None else min(max(float(seconds), 0.0), _LONGEST_ANSWER)
        mine = tables.answers.c.rater == rater.id
        with self._write() as connection:
            _lock(connection, tables.raters, rater.id)
            known = set(connection.execute(select(tables.answers.c.position).where(mine)).scalars())
            if position > len(known):
                raise InputError(f"trial {position} comes later; trial {len(known)} is next")
            connection.execute(delete(tables.answers).where(mine, tables.answers.c.position == position))
            row = {
                "rater": rater.id,
                "position": position,
                "answer": json.dumps(found),
                "seconds": took,
                "answered": time.time(),
            }
            connection.execute(insert(tables.answers).values(row))

    def answers(self, rater: RaterRecord) -> dict[int, tuple[float, ...]]:
        """Return a rater's answers by position."""
        with self._read() as connection:
            rows = connection.execute(
                select(tables.answers).where(tables.answers.c.rater == rater.id)
            ).mappings()
            return {int(row["position"]): tuple(json.loads(row["answer"])) for row in rows}

    def collected(self, study: StudyRecord) -> Collected:
        """Return all answers of a study."""
        with self._read() as connection:
            raters = {one.id: one for one in _raters(connection, tables.raters.c.study == study.id)}
            rows = connection.execute(
                select(tables.answers)
                .join(tables.raters, tables.raters.c.id == tables.answers.c.rater)
                .where(tables.raters.c.study == study.id)
                .order_by(tables.raters.c.number, tables.answers.c.position)
            ).mappings()
            judgements = tuple(
                Judgement(
                    rater=raters[row["rater"]].name,
                    position=int(row["position"]),
                    trial=raters[row["rater"]].trials[row["position"]],
                    values=tuple(json.loads(row["answer"])),
                    seconds=row["seconds"],
                )
                for row in rows
            )
        return Collected(design=study.design, judgements=judgements)

    def keys(self, study: StudyRecord) -> dict[tuple[str, str | None], str]:
        """Return (picture, method) → key of what is shown; method None is the reference."""
        columns = (tables.stimuli.c.picture, tables.stimuli.c.method, tables.stimuli.c.key)
        with self._read() as connection:
            rows = connection.execute(select(*columns).where(tables.stimuli.c.study == study.id))
            return {(str(picture), method): str(key) for picture, method, key in rows}

    def sizes(self, study: StudyRecord) -> dict[str, tuple[int, int]]:
        """Return picture → pixels across and down of what is shown of it."""
        columns = (tables.stimuli.c.picture, tables.stimuli.c.width, tables.stimuli.c.height)
        with self._read() as connection:
            rows = connection.execute(select(*columns).where(tables.stimuli.c.study == study.id))
            return {str(picture): (int(width), int(height)) for picture, width, height in rows}

    def stimulus(self, key: str, *, study: int | None = None) -> Stimulus | None:
        """Return what is shown under a key, in one study or any; None where nothing is."""
        columns = [tables.stimuli.c[name] for name in ("picture", "method", "width", "height", "png")]
        with self._read() as connection:
            query = select(*columns).where(tables.stimuli.c.key == key)
            if study is not None:
                query = query.where(tables.stimuli.c.study == study)
            row = connection.execute(query).mappings().first()
            return None if row is None else Stimulus(**row)


def _lock(connection: Connection, table: Table, row: int) -> None:
    """Let others wait who would change what belongs to a row (SQLite's writers wait anyway)."""
    connection.execute(select(table.c.id).where(table.c.id == row).with_for_update())


def _raters(connection: Connection, condition: ColumnElement[bool]) -> list[RaterRecord]:
    rows = connection.execute(
        select(tables.raters, func.count(tables.answers.c.position).label("answered"))
        .outerjoin(tables.answers, tables.answers.c.rater == tables.raters.c.id)
        .where(condition)
        .group_by(tables.raters.c.id)
        .order_by(tables.raters.c.number)
    ).mappings()
    return [
        RaterRecord(
            id=int(row["id"]),
            study=int(row["study"]),
            number=int(row["number"]),
            token=str(row["token"]),
            trials=_TRIALS.validate_json(row["trials"]),
            answered=int(row["answered"]),
        )
        for row in rows
    ]


def _new_row(key: Sequence[object] | None) -> int:
    assert key is not None, "an insert of one row gives its key"
    return int(str(key[0]))


@lru_cache(maxsize=64)
def _read_design(text: str, name: str) -> Design:
    try:
        return _DESIGN.validate_json(text)
    except ValidationError as error:
        raise InputError(f"the design of the study {name} in the database is damaged") from error
