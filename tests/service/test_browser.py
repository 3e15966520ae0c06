"""The real page in a real browser (Debian's Chromium), against the real service with a tiny real model."""

import io
import json
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")

from playwright.sync_api import Browser, Error, Page, ViewportSize, expect, sync_playwright

from tests.service.asking import picture, serious
from tests.service.conftest import Running
from wildsr.models.two_ends import DEFAULT_SHARPNESS
from wildsr.service.leases import Lease, Leases, Made
from wildsr.service.storage import Storage

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
TABS = ("/", "/profile", "/compare", "/study", "/login")
PHONE: ViewportSize = {"width": 360, "height": 740}
WAIT = 20_000

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium isn't installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=WAIT)  # jobs are behind most of what is waited for
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
        except Error as error:
            pytest.skip(f"chromium does not start: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser,
    running: Running,
    *,
    size: ViewportSize | None = None,
    scheme: Literal["dark", "light"] = "light",
    bypass_csp: bool = False,
) -> Iterator[Page]:
    """Give a page whose console stays empty and that asks nobody but the service."""
    context = browser.new_context(
        viewport=size or {"width": 1200, "height": 900}, color_scheme=scheme, bypass_csp=bypass_csp
    )
    context.set_default_timeout(WAIT)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    strangers = [url for url in asked if not url.startswith((running.address, "blob:", "data:"))]
    assert strangers == []
    assert [one for one in said if "Blocked script execution" not in one] == []


@pytest.fixture(autouse=True)
def without_older_jobs(request: pytest.FixtureRequest) -> None:
    """The service is one for all tests, in any order: what they left would be on the page."""
    if "running" in request.fixturenames:
        running: Running = request.getfixturevalue("running")
        running.service.store.delete_finished_before(time.time() + 1)


def photos(folder: Path, count: int, size: tuple[int, int] = (48, 36)) -> list[Path]:
    made = []
    for seed in range(count):
        path = folder / f"photo{seed}.jpg"
        path.write_bytes(picture(seed, size, "jpeg"))
        made.append(path)
    return made


def lease_of(service: Running) -> Lease:
    """Take the next job, as a worker does."""
    lease = Leases(service.service.store.database, seconds=60).claim("a-test/0")
    assert lease is not None
    return lease


def test_several_photos_to_the_slider_and_the_downloads(
    browser: Browser, running: Running, tmp_path: Path
) -> None:
    with opened(browser, running) as page:
        page.goto(running.address)
        page.set_input_files("#file", photos(tmp_path, 2))
        expect(page.locator(".zone li")).to_have_count(2)
        expect(page.locator("#told")).to_contain_text("About")
        page.get_by_label("Leave out photo0.jpg").click()
        page.set_input_files("#file", [tmp_path / "photo0.jpg"])
        page.get_by_role("button", name="Upscale", exact=True).click()
        expect(page.locator(".job[data-state=done]")).to_have_count(2, timeout=WAIT)
        page.get_by_role("button", name="View photo1.jpg").click()
        stage = page.locator("#stage")
        expect(page.locator("#viewer-title")).to_have_text("photo1_x4.png")
        expect(stage).to_be_focused()
        after = page.locator("#stage .after")
        assert after.evaluate("one => one.style.clipPath") == "inset(0px 0px 0px 50%)"
        page.locator("#split").fill("80")
        assert after.evaluate("one => one.style.clipPath") == "inset(0px 0px 0px 80%)"
        page.get_by_role("button", name="Closer").click()
        expect(stage).to_have_attribute("data-zoom", "1.500")
        before_, after_ = page.locator("#stage .before img"), page.locator("#stage .after img")
        assert after_.evaluate("one => one.naturalWidth") == 192
        placed = [one.evaluate("one => one.style.transform") for one in (before_, after_)]
        assert placed[0] == placed[1] != ""
        with page.expect_download() as plain:
            page.locator("#save").click()
        assert plain.value.suggested_filename == "photo1_x4.png"
        page.locator("#blend").fill("40")
        assert after_.evaluate("one => one.style.opacity") == "0.4"
        with page.expect_download() as blended:
            page.get_by_role("button", name="Download at this strength").click()
        assert blended.value.suggested_filename == "photo1_x4_40.png"
        with Image.open(blended.value.path()) as image:
            assert image.size == (192, 144)
        with page.expect_download() as together:
            page.locator("#all").click()
        names = zipfile.ZipFile(io.BytesIO(together.value.path().read_bytes())).namelist()
        assert {"photo0_x4.png", "photo1_x4.png"} <= set(names)
        page.get_by_role("button", name="Close", exact=True).click()
        expect(page.locator("#viewer")).to_be_hidden()
        page.get_by_role("button", name="Delete photo1.jpg").click()
        expect(page.locator(".job", has_text="photo1.jpg")).to_have_count(0)


def test_progress_with_time_left_and_cancel(browser: Browser, unattended: Running) -> None:
    with opened(browser, unattended) as page:
        page.goto(unattended.address)
        photo = picture(1, (48, 36), "jpeg")
        page.set_input_files("#file", {"name": "slow.jpg", "mimeType": "image/jpeg", "buffer": photo})
        page.get_by_role("button", name="Upscale", exact=True).click()
        row = page.locator(".job", has_text="slow.jpg")
        expect(row).to_have_attribute("data-state", "queued")
        lease = lease_of(unattended)
        Leases(unattended.service.store.database, seconds=60).beat(lease, steps_done=3, steps=12)
        expect(row.locator("progress")).to_have_js_property("value", 3)
        expect(row).to_contain_text("3 of 12")
        expect(row).to_contain_text("left")
        row.get_by_role("button", name="Cancel slow.jpg").click()
        expect(row).to_have_attribute("data-state", "cancelled")
        expect(page.locator("#status")).to_contain_text("slow.jpg: cancelled")


def test_sharpness_is_offered_for_a_model_with_two_ends_alone(
    browser: Browser, with_dial: Running, tmp_path: Path
) -> None:
    with opened(browser, with_dial) as page:
        page.goto(with_dial.address)
        slider = page.get_by_label("Sharpness")
        expect(slider).to_have_value(str(DEFAULT_SHARPNESS))
        slider.fill("0.2")
        expect(page.locator("#sharpness-value")).to_have_text("20 %")
        page.set_input_files("#file", photos(tmp_path, 1))
        page.get_by_role("button", name="Upscale", exact=True).click()
        expect(page.locator(".job")).to_have_count(1)
        assert lease_of(with_dial).job.options.sharpness == 0.2
        page.locator("#model").select_option("tiny")
        expect(slider).to_be_hidden()
        page.set_input_files("#file", photos(tmp_path, 1))
        page.get_by_role("button", name="Upscale", exact=True).click()
        expect(page.locator(".job")).to_have_count(2)
        options = lease_of(with_dial).job.options
        assert (options.model, options.sharpness) == ("tiny", None)
        page.locator("#model").select_option("ends")
        expect(slider).to_have_value(str(DEFAULT_SHARPNESS))


def test_refusals_are_told_in_words(browser: Browser, running: Running, tmp_path: Path) -> None:
    with opened(browser, running) as page:
        page.goto(running.address)
        name = "<img src=x onerror=alert(1)>.jpg"
        page.set_input_files("#file", {"name": name, "mimeType": "image/jpeg", "buffer": b"no picture"})
        page.get_by_role("button", name="Upscale", exact=True).click()
        row = page.locator(".job[data-state=failed]", has_text="onerror")
        expect(row.locator(".refusal")).to_contain_text("no picture wildsr knows")
        assert row.locator("img").count() == 0  # the name stayed text
        noise = os.urandom(2_500_000)
        page.set_input_files("#file", {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": noise})
        expect(page.locator("#told")).to_contain_text("more than 2 MB")
        page.get_by_label("Leave out large.jpg").click()
        page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"x"})
        expect(page.locator("#status")).to_contain_text("no photos")


def test_compare_is_blind_until_asked_and_moves_together(
    browser: Browser, running: Running, tmp_path: Path
) -> None:
    with opened(browser, running) as page:
        page.goto(f"{running.address}/compare")
        page.set_input_files("#file", photos(tmp_path, 1))
        page.get_by_label("Blind").check()
        page.get_by_role("button", name="Compare", exact=True).click()
        stages = page.locator(".cell .stage:visible")
        expect(stages).to_have_count(2)
        assert page.locator("figcaption").all_inner_texts() == ["A", "B"]
        stages.first.focus()
        page.keyboard.press("+")
        page.keyboard.press("ArrowLeft")
        for index in range(2):
            expect(stages.nth(index)).to_have_attribute("data-zoom", "1.500")
        moves = [
            one.evaluate("one => one.style.transform.split('scale')[0]")
            for one in page.locator(".after img").all()
        ]
        assert moves[0] == moves[1]
        page.get_by_role("button", name="Show names").click()
        shown = page.locator("figcaption").all_inner_texts()
        assert sorted(one[3:] for one in shown) == ["tiny", "tiny-x2"]


def test_the_profile_tab_shows_what_was_learnt(browser: Browser, unattended: Running, tmp_path: Path) -> None:
    """The page of a profile is shown in a frame where nothing runs."""
    with opened(browser, unattended) as page:
        page.goto(f"{unattended.address}/profile")
        page.set_input_files("#file", photos(tmp_path, 2))
        expect(page.locator("#told")).to_contain_text("ten or more")
        page.get_by_label("Name").fill("phone")
        page.get_by_role("button", name="Learn").click()
        expect(page.locator(".job")).to_have_attribute("data-state", "queued")
        lease = lease_of(unattended)
        assert (lease.job.kind, lease.job.name) == ("profile", "phone")
        Leases(unattended.service.store.database, seconds=60).beat(lease, steps_done=1, steps=2)
        thumbs = page.locator(".thumbs li")
        expect(thumbs).to_have_text(["photo0.jpg: looked at", "photo1.jpg: being looked at"])
        assert thumbs.locator("img").evaluate_all("all => all.map((one) => one.naturalWidth)") == [48, 48]
        folder = Storage(unattended.settings.folder).attempt(lease.job.id, 1)
        (folder / "camera.profile").write_bytes(b"profile")
        (folder / "page.html").write_text("<style>h1{color:red}</style><h1>Kernels</h1><script>x()</script>")
        made = Made(result="1/camera.profile", result_bytes=7, facts={})
        Leases(unattended.service.store.database, seconds=60).finish(lease, made)
        expect(page.locator(".thumbs")).to_have_count(0)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download phone.profile").click()
        assert download.value.suggested_filename == "phone.profile"
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        page.get_by_role("button", name="View phone").click()
        expect(page.frame_locator("#frame").locator("h1")).to_have_text("Kernels")
        expect(page.frame_locator("#frame").locator("h1")).to_have_css("color", "rgb(255, 0, 0)")
        assert any("Blocked script execution" in one for one in refused)


def test_by_keyboard_alone(browser: Browser, running: Running, tmp_path: Path) -> None:
    with opened(browser, running) as page:
        page.on(
            "filechooser", lambda _: None
        )  # intercepted from now on: begun with the key, it may come too late
        page.goto(running.address)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator("#file")).to_be_focused()
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Space")
        chooser.value.set_files(photos(tmp_path, 1))
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.type") == "submit":
                break
        page.keyboard.press("Enter")
        row = page.locator(".job").first
        expect(row).to_have_attribute("data-state", "done")
        row.get_by_role("button", name="View").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#stage")).to_be_focused()
        page.keyboard.press("+")
        expect(page.locator("#stage")).to_have_attribute("data-zoom", "1.500")
        page.keyboard.press("Tab")
        expect(page.locator("#split")).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#split")).to_have_value("51")


def test_on_a_phone_nothing_is_cut_off(browser: Browser, unattended: Running) -> None:
    with opened(browser, unattended, size=PHONE) as page:
        for path in TABS:
            page.goto(unattended.address + path)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"], path
            for button in page.locator("main button:visible").all():
                box = button.bounding_box()
                assert box is not None
                assert box["height"] >= 32, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    browser: Browser, running: Running, axe: str, scheme: Literal["dark", "light"], tmp_path: Path
) -> None:
    """WCAG 2.1 A and AA on every tab, and with a result shown; the page's own policy is off, or axe could not run."""
    found: dict[str, list[str]] = {}
    with opened(browser, running, scheme=scheme, bypass_csp=True) as page:
        for path in (*TABS, "shown"):
            page.goto(running.address + (path if path != "shown" else "/"))
            if path == "shown":
                page.set_input_files("#file", photos(tmp_path, 1))
                page.get_by_role("button", name="Upscale", exact=True).click()
                page.get_by_role("button", name="View photo0.jpg").first.click()
                expect(page.locator("#stage")).to_be_focused()
            found[path] = serious(page, axe)
    assert not any(found.values()), json.dumps(found, indent=1)
