"""A real camera's pictures: half are learnt from without their truth, the others are tested."""

from pathlib import Path

from wildsr.errors import InputError
from wildsr.evaluation import read_set
from wildsr.experiments.measuring import Bytes, middle_of_pair
from wildsr.files import make_folder


def halves(pairs: Path, learnt: Path, *, largest: int = 512) -> tuple[Path, dict[str, tuple[Bytes, Bytes]]]:
    """Of each two pairs in the order of their names, the LR of the first is learnt from, and the second is tested.

    Args:
        pairs: Folder with HR and LR.
        learnt: Folder for links to the photos to learn from.
        largest: HR pixels a side at most of what is tested; the middle is taken.

    Returns:
        `learnt`, and name → HR and LR of the pictures to test on.

    Raises:
        InputError: Fewer than two pairs, or HR that is not 4 times as large.
    """
    found = read_set(pairs)
    whole = [
        (one.name, one.hr, one.lr) for one in found.pictures if one.hr is not None and one.lr is not None
    ]
    if len(whole) < 2:
        raise InputError(
            f"{pairs} holds {len(whole)} pairs with HR",
            hint="folders HR and LR with two pairs or more are needed",
        )
    link([lr for _, _, lr in whole[::2]], learnt)
    return learnt, {name: middle_of_pair(hr, lr, largest=largest) for name, hr, lr in whole[1::2]}


def link(photos: list[Path], folder: Path) -> None:
    """Make a folder of links to photos."""
    make_folder(folder)
    for path in photos:
        place = folder / path.name
        if not place.exists():
            place.symlink_to(path.resolve())
