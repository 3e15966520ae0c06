"""A study, a rater and a picture to show, as the database keeps them."""

from dataclasses import dataclass

from wildsr.study.design import Design, Trial


@dataclass(frozen=True, kw_only=True, eq=False)
class Stimulus:
    """A picture to show."""

    picture: str
    """Which picture of the study."""

    method: str | None
    """Whose result; None for the reference that is shown."""

    width: int
    """Pixels across."""

    height: int
    """Pixels down."""

    png: bytes
    """The file."""


@dataclass(frozen=True, kw_only=True)
class StudyRecord:
    """A study as it is kept."""

    id: int
    """Its row."""

    name: str
    """What commands call it."""

    title: str
    """What raters see."""

    invitation: str
    """Who knows it can take part."""

    design: Design
    """What is asked."""

    created: float
    """When, in seconds since 1970."""

    closed: bool
    """Whether answers are no longer taken."""


@dataclass(frozen=True, kw_only=True)
class RaterRecord:
    """A rater as kept."""

    id: int
    """Its row."""

    study: int
    """The study's row."""

    number: int
    """0 the first who came."""

    token: str
    """Who knows it is this rater: the link to come back by."""

    trials: tuple[Trial, ...]
    """What is asked of the rater."""

    answered: int
    """How many trials have an answer."""

    @property
    def name(self) -> str:
        """What tables call the rater; it says nothing of the person."""
        return f"r{self.number + 1:03}"

    @property
    def finished(self) -> bool:
        """Whether all trials have an answer."""
        return self.answered >= len(self.trials)
