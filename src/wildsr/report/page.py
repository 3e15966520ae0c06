"""The HTML skeleton every report shares, and the parts pages are put together from.

Functions take HTML except where an argument is named `text`, which is escaped. Classes are those of `style.css`.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources

from wildsr.files import shown


def page(text: str, sections: Iterable[str]) -> str:
    """Return a complete page with a title and its sections; it loads nothing from elsewhere."""
    style = resources.files("wildsr.report").joinpath("style.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{plain(text)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(section for section in sections if section)
        + "\n</main>\n</body>\n</html>\n"
    )


def plain(text: str) -> str:
    """Return a file name or a sentence as HTML: escaped, and valid UTF-8 whatever bytes it holds."""
    return escape(shown(text))


def figure(picture: str, caption: str) -> str:
    """Return a picture with a caption below it."""
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def plots(figures: Iterable[tuple[str, str]]) -> str:
    """Return (caption, plot) pairs as panels beside each other; a plot that is empty is left out."""
    body = "".join(
        f"<figure><figcaption>{caption}</figcaption>{plot}</figure>" for caption, plot in figures if plot
    )
    return f'<div class="plots">{body}</div>' if body else ""


def row(parts: Iterable[str]) -> str:
    """Return parts beside each other, wrapped where the window ends."""
    return f'<div class="row">{"".join(parts)}</div>'


def gallery(parts: Iterable[str]) -> str:
    """Return parts in columns of equal width."""
    return f'<div class="gallery">{"".join(parts)}</div>'


def cards(entries: Iterable[tuple[str, str]]) -> str:
    """Return (label, value) pairs as a row of large figures."""
    return row(f'<div class="card">{label}<b>{value}</b></div>' for label, value in entries)


def notes(heading: str, texts: Iterable[str]) -> str:
    """Return a marked list under a heading; nothing for an empty one."""
    items = "".join(f"<li>{plain(text)}</li>" for text in texts)
    return f'<div class="notes"><strong>{heading}</strong><ul>{items}</ul></div>' if items else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: frozenset[int] = frozenset()) -> str:
    """Return a table; columns hold numbers (right-aligned) but for the first and those in `words`."""

    def line(cells: Sequence[str], kind: str) -> str:
        return "".join(
            f"<{kind}{' class=words' if place in words else ''}>{cell}</{kind}>"
            for place, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(one, 'td')}</tr>" for one in rows)
    return f'<div class="scroll"><table><tr>{line(head, "th")}</tr>{body}</table></div>'


def folded(text: str, body: str) -> str:
    """Return a section that is closed until its title is clicked."""
    return f"<details><summary>{plain(text)}</summary>{body}</details>"


def definitions(entries: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """Return (term, description) pairs of text."""
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    return f"<dl>{''.join(f'<dt>{plain(term)}</dt><dd>{plain(text)}</dd>' for term, text in pairs)}</dl>"


def bar(share: float) -> str:
    """Return a bar filled to a share of 0…1."""
    return f'<div class="bar"><i style="width:{share:.0%}"></i></div>'
