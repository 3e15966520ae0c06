"""Designs and answers made by code."""

from collections.abc import Mapping, Sequence

from wildsr.study.design import Design, Protocol, StudyMethod, Trial
from wildsr.study.judgements import Collected, Judgement


def design(protocol: Protocol = "mos", methods: int = 3, pictures: int = 4, **choices: int | None) -> Design:
    """A design with methods m0, m1 … (the lower, the better in simulations) and pictures p0, p1 …"""
    return Design(
        protocol=protocol,
        methods=tuple(StudyMethod(name=f"m{one}") for one in range(methods)),
        pictures=tuple(f"p{one}" for one in range(pictures)),
        **choices,  # type: ignore[arg-type]
    )


def levels(table: Mapping[str, Sequence[Sequence[float]]]) -> Collected:
    """MOS answers: rater → picture → level of each method."""
    first = next(iter(table.values()))
    made = design("mos", methods=len(first[0]), pictures=len(first))
    answers = []
    for rater, rows in table.items():
        position = 0
        for picture, row in zip(made.pictures, rows, strict=True):
            for method, level in zip(made.method_names, row, strict=True):
                trial = Trial(picture=picture, methods=(method,))
                answers.append(Judgement(rater=rater, position=position, trial=trial, values=(level,)))
                position += 1
    return Collected(design=made, judgements=tuple(answers))


def orders(table: Mapping[str, Sequence[str]], *, roles: Mapping[str, str] | None = None) -> Collected:
    """MOR answers: rater → for each picture the methods from the best to the worst, as in "bac"."""
    first = next(iter(table.values()))
    names = sorted(first[0])
    made = Design(
        protocol="mor",
        methods=tuple(StudyMethod(name=name, role=(roles or {}).get(name, "candidate")) for name in names),  # type: ignore[arg-type]
        pictures=tuple(f"p{one}" for one in range(len(first))),
    )
    answers = []
    for rater, rows in table.items():
        for position, (picture, order) in enumerate(zip(made.pictures, rows, strict=True)):
            trial = Trial(picture=picture, methods=tuple(names))
            places = tuple(float(order.index(name) + 1) for name in names)
            answers.append(Judgement(rater=rater, position=position, trial=trial, values=places))
    return Collected(design=made, judgements=tuple(answers))
