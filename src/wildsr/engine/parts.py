"""One picture made in parts, on several machines or at several times: the bytes are those of making it at once."""

from collections.abc import Iterable
from pathlib import Path

from wildsr.engine.plan import Plan
from wildsr.engine.rows import IntegerStrip, can_be_split, frame_of, joined_rows, strip_of
from wildsr.engine.settings import Size
from wildsr.engine.upscaler import Upscaler
from wildsr.errors import UsageError
from wildsr.imaging import Source, WriteOptions, WriteReport, write_rows


def parts_of(plan: Plan) -> int:
    """Return in how many parts a picture can be made: its rows of tiles.

    Raises:
        UsageError: It can't be parted.
    """
    if len(plan.passes) > 1:
        raise UsageError(
            f"an enlargement to {plan.width}×{plan.height} takes {len(plan.passes)} runs of the network, and the "
            "second needs all of the first: such a picture can't be split",
            hint="ask for the model's own scale or less (-s 4), or leave out --split",
        )
    if not can_be_split(plan):
        raise UsageError(
            "its rows of tiles are too narrow to be made apart", hint="allow more memory (--max-memory)"
        )
    return len(plan.passes[0].grid.rows)


class PartedPicture:
    """A decoded picture, whose parts are made in any order, anywhere, and joined once all are there.

    Args:
        upscaler: The same model and settings everywhere.
        source: The picture, whole: transparency, gray and the choice of models look at all of it.
        target: What the result is called; its extension says the format.
        size: How large it is.
        options: How it is written.

    Raises:
        UsageError: It can't be parted (see `parts_of`).
    """

    def __init__(
        self,
        upscaler: Upscaler,
        source: Source,
        target: Path,
        size: Size | None = None,
        options: WriteOptions | None = None,
    ) -> None:
        settled, self._options, form = upscaler.settled(source, target, options)
        self.plan = upscaler.plan(settled, size).into(form)
        """Its tiles."""
        self.parts = parts_of(self.plan)
        """How many there are."""
        self._work = upscaler.work(settled, self.plan)

    def part(self, number: int) -> IntegerStrip:
        """Return a part, from 0 on.

        Raises:
            OutOfMemoryError: Tiles of this plan don't fit; others would give another picture.
        """
        return strip_of(self._work, number)

    def join(self, parts: Iterable[IntegerStrip], file: Path) -> WriteReport:
        """Write the result from all parts.

        Args:
            parts: Top to bottom, taken one at a time.
            file: To write, in the format of `target`.

        Raises:
            OutputError: It can't be written; nothing is left behind.
        """
        frame = frame_of(self._work.source, self.plan)
        return write_rows(joined_rows(self._work, parts), frame, file, options=self._options)
