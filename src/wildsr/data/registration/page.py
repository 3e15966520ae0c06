"""The page of a registration: what was kept, and why the rest was not."""

from collections import Counter
from typing import Final

import numpy as np

from wildsr.data.registration.alignment import Bytes
from wildsr.data.registration.registering import Registered, Registration
from wildsr.data.registration.windows import FATES, Fate, Window, WindowSettings, cut
from wildsr.imaging import resize
from wildsr.report.page import cards, figure, gallery, notes, page, plain, table
from wildsr.report.pictures import jpeg_uri

_WIDTH: Final = 640
_EXAMPLES: Final = 3
_COLOURS: Final[dict[Fate, str]] = {
    "kept": "#2a9d4a",
    "outside": "#8a8a8a",
    "flat": "#b9b9b9",
    "edges only": "#5b8bd6",
    "clipped": "#c9a400",
    "no agreement": "#d1383d",
    "moved": "#a23bb5",
    "gain": "#e07b00",
    "neighbours": "#7a4a1e",
}


class Page:
    """Takes up pairs as they are registered, while their pixels are at hand."""

    def __init__(self, settings: WindowSettings) -> None:
        self._settings = settings
        self._sections: list[str] = []

    def add(self, _found: Registration, one: Registered) -> None:
        """Draw a pair."""
        if one.both is None:
            self._sections.append(f"<h2>{plain(one.name)}</h2><p>{plain(one.problem or '')}</p>")
            return
        assert one.alignment is not None
        kept = [window for window in one.windows if window.fate == "kept"]
        shown_windows = sorted(kept, key=lambda window: window.correlation)
        picks = [shown_windows[place] for place in sorted({0, len(kept) // 2, len(kept) - 1}) if kept]
        self._sections.append(
            f"<h2>{plain(one.name)}</h2>"
            f"<p>{one.alignment.matches} details agree; the DSLR has {one.alignment.zoom:.2f} pixels for one of the "
            "phone's.</p>"
            + figure(self._overview(one), _legend(one))
            + ("<h3>Kept: least, middling and most alike</h3>" if picks else "")
            + gallery(self._example(one, window) for window in picks)
            + self._rejected(one)
        )

    def text(self, found: Registration) -> str:
        """Return the whole page."""
        totals: Counter[str] = sum((one.counts for one in found.pairs), Counter())
        looked_at = sum(totals.values()) - totals["outside"] - totals["flat"]
        share = f"{found.kept / looked_at:.0%}" if looked_at else "none"
        return page(
            "Registered pairs",
            [
                "<h1>Registered pairs</h1>",
                cards(
                    [
                        ("pairs of photos", f"{len(found.pairs)}"),
                        ("windows kept", f"{found.kept}"),
                        ("of those with texture", share),
                    ]
                ),
                notes("To know", found.remarks),
                table(
                    ("what became of windows", "", "number"),
                    [(fate, text, str(totals[fate])) for fate, text in FATES.items()],
                    words=frozenset({1}),
                ),
                *self._sections,
            ],
        )

    def _overview(self, one: Registered) -> str:
        assert one.both is not None
        height, width = one.both.phone.shape[:2]
        side, factor = self._settings.side, min(1.0, _WIDTH / width)
        small = resize(one.both.phone, (max(1, round(height * factor)), max(1, round(width * factor))))
        boxes = "".join(
            f'<rect x="{window.left + 1}" y="{window.top + 1}" width="{side - 2}" height="{side - 2}" fill="none" '
            f'stroke="{_COLOURS[window.fate]}" stroke-width="{max(2, width // 300)}">'
            f"<title>{FATES[window.fate]}</title></rect>"
            for window in one.windows
        )
        uri = jpeg_uri(np.clip(np.rint(small), 0, 255).astype(np.uint8), quality=80)
        return (
            f'<svg viewBox="0 0 {width} {height}" width="{round(width * factor)}" role="img" '
            f'aria-label="windows of {plain(one.name)}"><image href="{uri}" width="{width}" height="{height}"/>'
            f"{boxes}</svg>"
        )

    def _example(self, one: Registered, window: Window) -> str:
        assert one.both is not None
        phone, dslr = cut(one.both, window, self._settings.side)
        words = f"correlation {window.correlation:.3f}, moved by {window.shift[0]:+.2f}, {window.shift[1]:+.2f} px"
        return figure(_beside(phone, dslr), f"phone, DSLR: {words}")

    def _rejected(self, one: Registered) -> str:
        parts = []
        for fate in ("no agreement", "moved", "neighbours", "gain", "clipped"):
            windows = [window for window in one.windows if window.fate == fate and window.to_dslr is not None]
            parts += [
                figure(_beside(*cut(one.both, window, self._settings.side)), FATES[window.fate])
                for window in windows[:_EXAMPLES]
                if one.both is not None
            ]
        return f"<h3>Not kept</h3>{gallery(parts)}" if parts else ""


def _beside(phone: Bytes, dslr: Bytes) -> str:
    both = np.concatenate([phone, dslr], axis=1)
    return f'<img alt="phone and DSLR" src="{jpeg_uri(both)}">'


def _legend(one: Registered) -> str:
    return ", ".join(
        f'<span style="color:{_COLOURS[fate]}">■</span> {fate} {one.counts[fate]}'
        for fate in FATES
        if one.counts[fate]
    )
