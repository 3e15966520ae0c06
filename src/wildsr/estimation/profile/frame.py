"""What the pages about profiles share: their frame, their style, rows of figures."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from wildsr.files import shown

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; overflow-wrap: anywhere; margin-bottom: .3rem; } h2 { margin-top: 2.2rem; font-size: 1.2rem; }
.small { font-size: .82rem; opacity: .8; max-width: 48rem; }
.row { display: flex; flex-wrap: wrap; gap: 14px; align-items: flex-start; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 18px 16px; }
.card { border: 1px solid #8886; border-radius: 8px; padding: .6rem 1rem; min-width: 7rem; }
.card b { display: block; font-size: 1.5rem; }
figure { margin: 0; max-width: 100%; } .row figure { width: min-content; min-width: 150px; }
figcaption { font-size: .78rem; overflow-wrap: anywhere; }
img { image-rendering: pixelated; border-radius: 3px; } svg { font-size: 11px; fill: currentColor; max-width: 100%; }
figure svg { max-width: none; }
svg [fill=none] { fill: none; } table { border-collapse: collapse; font-size: .9rem; }
.wide { overflow-x: auto; } td, th { padding: .2rem .9rem .2rem 0; text-align: left; vertical-align: top; }
tr + tr td { border-top: 1px solid #8884; } td:first-child { overflow-wrap: anywhere; min-width: 7rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.remark { border-left: 4px solid #d1481f; padding-left: .8rem; }
.bar { background: #8884; width: 90px; height: 6px; border-radius: 3px; } .bar i { display: block; height: 6px;
background: #1f6feb; border-radius: 3px; }
"""


def page(title: str, body: Iterable[str]) -> str:
    """Return a whole page; it holds everything and loads nothing."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{plain(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{''.join(body)}</body></html>\n"
    )


def plain(text: str) -> str:
    """Return a name or a sentence out of a file as text of a page, which is valid UTF-8 whatever the name holds."""
    return escape(shown(text))


def figure(picture: str, caption: str) -> str:
    """Return a picture with what is said of it, in HTML."""
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def row(parts: Iterable[str]) -> str:
    """Return parts beside each other, as many as the window holds."""
    return f'<div class="row">{"".join(parts)}</div>'


def grid(parts: Iterable[str]) -> str:
    """Return parts in columns of one width."""
    return f'<div class="grid">{"".join(parts)}</div>'


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: frozenset[int] = frozenset()
) -> str:
    """Return a table of HTML cells; columns of numbers are set right."""

    def line(cells: Sequence[str], kind: str) -> str:
        return "".join(
            f"<{kind}{' class=number' if place in numbers else ''}>{cell}</{kind}>"
            for place, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(one, 'td')}</tr>" for one in rows)
    return f'<div class="wide"><table><tr>{line(head, "th")}</tr>{body}</table></div>'


def bar(share: float) -> str:
    """Return a bar filled to a share of 0…1."""
    return f'<div class="bar"><i style="width:{share:.0%}"></i></div>'
