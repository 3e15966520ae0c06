"""The colour transparency is blended onto where a format has none: from words, and back into words."""

from typing import TypeAlias

from wildsr.errors import UsageError

Colour: TypeAlias = tuple[float, float, float]
"""Red, green and blue in [0, 1]."""


def background_named(text: str) -> Colour | None:
    """Return the colour of a CSS name (`white`), `#rrggbb` or `rgb(255, 255, 255)`; None for `none`.

    Raises:
        UsageError: It is none of these.
    """
    if text.strip().lower() == "none":
        return None
    from PIL import ImageColor

    try:
        red, green, blue, *_ = ImageColor.getrgb(text.strip())
    except ValueError as error:
        raise UsageError(
            f"background is {text!r}; it must be a colour's name, #rrggbb, rgb(r, g, b), or none",
            hint="white, black, gray or '#ffffff', for instance; none refuses transparency the format can't hold",
        ) from error
    return red / 255, green / 255, blue / 255


def colour_name(colour: Colour | None) -> str:
    """Return what a colour is called in messages."""
    if colour is None:
        return "nothing"
    named = {(1.0, 1.0, 1.0): "white", (0.0, 0.0, 0.0): "black"}
    return named.get(colour) or "#" + "".join(f"{round(value * 255):02x}" for value in colour)
