"""Make the pictures of the page in docs/pictures, from sample photos, with the real service and Debian's Chromium.

python scripts/page_pictures.py            # docs/pictures/serve-*.png
python scripts/page_pictures.py --all DIR  # each in light and dark, on a desktop and a phone, to be looked at
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Final, Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from wildsr.assets import SAMPLE_PHOTOS, fetch

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
MODELS = ("wild-compact", "realesr-animevideov3-x4")
Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
SIZES: dict[str, ViewportSize] = {
    "desktop": {"width": 1200, "height": 900},
    "phone": {"width": 390, "height": 844},
}
KEPT: tuple[tuple[str, str, Scheme, str], ...] = (
    ("upscale", "desktop", "light", "serve-upscale.png"),
    ("compare", "desktop", "dark", "serve-compare.png"),
    ("upscale", "phone", "dark", "serve-phone.png"),
    ("profile", "desktop", "light", "serve-profile.png"),
)
_LONG = 300_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", type=Path, metavar="DIR", help="All tabs, schemes and sizes go there.")
    given = parser.parse_args()
    expect.set_options(timeout=_LONG)
    wanted = [(tab, size, scheme, PICTURES / name) for tab, size, scheme, name in KEPT]
    if given.all is not None:
        given.all.mkdir(parents=True, exist_ok=True)
        wanted = [
            (tab, size, scheme, given.all / f"{tab}-{size}-{scheme}.png")
            for tab, size, scheme in product(SHOWN, SIZES, SCHEMES)
        ]
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name)) as address,
        sync_playwright() as playwright,
    ):
        photos = sample_photos(Path(name))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for tab, size, scheme, target in wanted:
            show(browser, address, (tab, size, scheme), photos, target)
            print(target, flush=True)


def show(
    browser: Browser, address: str, what: tuple[str, str, Scheme], photos: list[Path], target: Path
) -> None:
    """Bring one tab into the state that is shown, photograph it, and clear up for the next."""
    tab, size, scheme = what
    page = browser.new_page(viewport=SIZES[size], color_scheme=scheme)
    page.set_default_timeout(_LONG)
    SHOWN[tab](page, address, photos)
    page.evaluate("() => document.activeElement.blur()")
    page.screenshot(path=target, full_page=True)
    with Image.open(target) as taken:  # a third of the bytes, and no difference to be seen on a page
        taken.convert("RGB").quantize(256).save(target, optimize=True)
    page.evaluate(
        "async () => { for (const one of (await (await fetch('/api/jobs')).json()).jobs)"
        " await fetch(`/api/jobs/${one.id}`, { method: 'DELETE' }) }"
    )
    page.close()


def upscale(page: Page, address: str, photos: list[Path]) -> None:
    page.goto(address)
    page.set_input_files("#file", photos[:2])
    page.get_by_role("button", name="Upscale", exact=True).click()
    expect(page.locator(".job[data-state=done]")).to_have_count(2)
    page.get_by_role("button", name=f"View {photos[0].name}").click()
    ready(page, 2)
    for _ in range(2):
        page.get_by_role("button", name="Closer").click()


def compare(page: Page, address: str, photos: list[Path]) -> None:
    page.goto(f"{address}/compare")
    page.set_input_files("#file", photos[:1])
    page.get_by_label("Blind").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.locator(".cell .stage:visible").nth(1).wait_for()
    ready(page, 4)
    for _ in range(3):
        page.get_by_role("button", name="Closer").click()


def profile(page: Page, address: str, photos: list[Path]) -> None:
    page.goto(f"{address}/profile")
    page.set_input_files("#file", photos)
    page.get_by_label("Name").fill("phone")
    page.get_by_role("button", name="Learn").click()
    page.locator(".thumbs [data-state='looked at']").nth(1).wait_for()


def ready(page: Page, count: int) -> None:
    """Wait until so many pictures are there."""
    images = page.locator(".layer img")
    while images.evaluate_all("all => all.filter((one) => one.naturalWidth).length") < count:
        page.wait_for_timeout(200)


SHOWN = {"upscale": upscale, "compare": compare, "profile": profile}


def sample_photos(folder: Path) -> list[Path]:
    """Return small JPEGs as an old phone might have taken them: two whole photos, and windows of all."""
    made: list[Path] = []
    for name in ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png"):
        with Image.open(fetch(SAMPLE_PHOTOS[f"sample-{name}"])) as opened:
            photo = opened.convert("RGB")
        for number, left in enumerate((0.0, 0.25, 0.5)):
            width, height = (int(side * (1 if number == 0 else 0.5)) for side in photo.size)
            corner = int(left * photo.width), int(left * photo.height / 2)
            window = photo.crop((*corner, corner[0] + width, corner[1] + height))
            if number == 0:
                window.thumbnail((320, 320))
            path = folder / f"{name.partition('.')[0]}{number or ''}.jpg"
            window.save(path, quality=85)
            made.append(path)
    return [*made[0:4:3], *made[1:3], *made[4:]]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the service; gives its address."""
    words = ["serve", "--port", "0", "--folder", str(folder / "data")]
    for model in MODELS:
        words += ["-m", model]
    with subprocess.Popen(
        [sys.executable, "-m", "wildsr", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as service:
        assert service.stdout is not None
        try:
            yield service.stdout.readline().strip()
        finally:
            service.terminate()


if __name__ == "__main__":
    main()
