"""The tables of studies."""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData()

studies: Final = Table(
    "studies",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(100), unique=True, nullable=False),
    Column("title", Text, nullable=False),
    Column("invitation", String(32), unique=True, nullable=False),
    Column("design", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("closed", Boolean, nullable=False, default=False),
)
"""One row a study. `design` is JSON; who knows `invitation` can take part."""

stimuli: Final = Table(
    "study_stimuli",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("study", ForeignKey("studies.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("picture", Text, nullable=False),
    Column("method", Text),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("png", LargeBinary, nullable=False),
    UniqueConstraint("study", "picture", "method"),
)
"""What is shown, under keys that say nothing. The reference that is shown has no method."""

raters: Final = Table(
    "study_raters",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("token", String(32), unique=True, nullable=False),
    Column("trials", Text, nullable=False),
    Column("joined", Float, nullable=False),
    UniqueConstraint("study", "number"),
)
"""One row a rater. `trials` is JSON: what was planned is kept, whatever a later version would plan."""

answers: Final = Table(
    "study_answers",
    metadata,
    Column("rater", ForeignKey("study_raters.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("seconds", Float),
    Column("answered", Float, nullable=False),
)
"""One row an answer."""
