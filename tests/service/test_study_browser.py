"""A study from its creation to its result, in Debian's Chromium, with keys, buttons and a phone."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
pytest.importorskip("fastapi", reason="the serve extra isn't installed")

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.cli.invoke import invoke
from tests.evaluation.pictures import fill
from tests.service.asking import serious
from tests.service.serving import served
from wildsr.service.access import Access
from wildsr.service.study_server import study_app
from wildsr.study.store import StudyStore

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium isn't installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
        except Error as error:
            pytest.skip(f"chromium does not start: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, StudyStore]]:
    """Three studies made by the command, and the pages that show them."""
    folder = tmp_path_factory.mktemp("studies")
    for method, sigma in (("truth", 0.0), ("good", 3.0), ("bad", 40.0)):
        fill(folder / method, ["a.png", "b.png"], sigma=sigma)
    database = str(folder / "studies.sqlite")
    for protocol in ("mos", "mor", "pairwise"):
        done = invoke(
            "study", "create", protocol, str(folder / "good"), str(folder / "bad"), "--hr", str(folder / "truth"),
            "--protocol", protocol, "--duplicates", "0", "--database", database,
        )  # fmt: skip
        assert done.code == 0, done.err
    store = StudyStore(database)
    with served(study_app(store, Access())) as address:
        yield address, store
    store.close()


@contextmanager
def opened(
    browser: Browser,
    address: str,
    *,
    phone: bool = False,
    scheme: Literal["dark", "light"] | None = None,
    bypass_csp: bool = False,
) -> Iterator[Page]:
    """Give a page whose console stays empty and that asks nobody else."""
    size = (360, 740) if phone else (1200, 900)
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        has_touch=phone,
        color_scheme=scheme or ("dark" if phone else "light"),
        bypass_csp=bypass_csp,
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert [url for url in asked if not url.startswith(address)] == []
    assert said == []


def begin(page: Page, address: str, store: StudyStore, name: str) -> None:
    """From the list of studies to a rater's first question, as its owner and its raters do."""
    page.goto(f"{address}/study")
    page.get_by_role("link", name=name, exact=True).click()
    page.goto(page.get_by_label("Link for raters").input_value())
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Question 1 of")).to_be_visible()


def test_mos_by_keys_from_creation_to_result(browser: Browser, studies: tuple[str, StudyStore]) -> None:
    address, store = studies
    study = store.study("mos")
    with opened(browser, address) as page:
        begin(page, address, store, "mos")
        rater = store.raters(study)[-1]
        for number, trial in enumerate(rater.trials):
            expect(page.get_by_text(f"Question {number + 1} of 4")).to_be_visible()
            expect(page.locator(".stage")).to_have_count(2)
            expect(page.locator(".stage").first).to_have_attribute("data-zoom", "1.000")
            page.keyboard.press("1" if trial.methods == ("good",) else "4")
            if number == 1:  # magnification goes for both
                page.locator("#closer").click()
                expect(page.locator(".stage").nth(0)).to_have_attribute("data-zoom", "1.500")
                expect(page.locator(".stage").nth(1)).to_have_attribute("data-zoom", "1.500")
                page.locator("input[name=level]:checked").focus()
            if number == 2:  # the address brings one back
                page.goto("about:blank")
                page.goto(f"{address}/study/rate/by/{rater.token}")
                expect(page.get_by_text("Question 3 of 4")).to_be_visible()
                page.keyboard.press("1" if trial.methods == ("good",) else "4")
            page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        found = store.collected(study)
        assert {(one.trial.methods[0], one.values[0]) for one in found.judgements} == {
            ("good", 1),
            ("bad", 4),
        }
        assert all(one.seconds is not None and one.seconds > 0 for one in found.judgements)
        page.goto(f"{address}/study/of/mos")
        expect(page.get_by_role("cell", name="r001")).to_be_visible()
        page.get_by_role("link", name="Result").click()
        expect(page.locator("p.lead")).to_contain_text("good")
        expect(page.locator("td.best")).to_contain_text("1.00")


def test_orders_by_buttons_on_a_phone(browser: Browser, studies: tuple[str, StudyStore]) -> None:
    address, store = studies
    study = store.study("mor")
    with opened(browser, address, phone=True) as page:
        begin(page, address, store, "mor")
        rater = store.raters(study)[-1]
        for number, trial in enumerate(rater.trials):
            expect(page.get_by_text(f"Question {number + 1} of 2")).to_be_visible()
            expect(page.locator("#zoom")).to_have_text(re.compile("%"))  # the script has begun
            letter = "AB"[trial.methods.index("good")]
            better = page.get_by_role("button", name=f"{letter} is better")
            if better.is_enabled():
                better.tap()
                expect(page.locator("#status")).to_have_text(f"{letter} is now 1 of 2")
            expect(page.locator("#order li").first).to_have_attribute("data-letter", letter)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            page.get_by_role("button", name="Next").tap()
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    found = store.collected(study)
    assert found.values[0].tolist() == [[1, 2], [1, 2]]


def test_pairs_by_mouse_and_back(browser: Browser, studies: tuple[str, StudyStore]) -> None:
    address, store = studies
    study = store.study("pairwise")
    with opened(browser, address) as page:
        begin(page, address, store, "pairwise")
        rater = store.raters(study)[-1]
        page.get_by_label("no difference").check()
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("Question 2 of 2")).to_be_visible()
        page.get_by_role("link", name="Back").click()
        expect(page.get_by_label("no difference")).to_be_checked()
        for trial in rater.trials:
            page.get_by_label("left" if trial.methods[0] == "good" else "right").last.check()
            page.get_by_role("button", name="Next").click()
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert store.collected(study).wins.sum(axis=(0, 1)).tolist() == [[0, 2], [0, 0]]


def test_all_that_is_chosen_or_pressed_has_a_name(browser: Browser, studies: tuple[str, StudyStore]) -> None:
    address, store = studies
    for name in ("mos", "mor", "pairwise"):
        with opened(browser, address) as page:
            begin(page, address, store, name)
            expect(page.locator(".stage img[alt]").first).to_be_attached()
            nameless = page.evaluate(
                "[...document.querySelectorAll('button, a, input:not([type=hidden]), .stage, progress')]"
                ".filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length)).length"
            )
            assert nameless == 0
            assert page.locator("h1").count() == 1


@pytest.mark.parametrize(("scheme", "phone"), [("light", False), ("dark", True)])
def test_axe_finds_nothing_serious_on_any_page_of_a_study(
    browser: Browser,
    studies: tuple[str, StudyStore],
    axe: str,
    scheme: Literal["dark", "light"],
    phone: bool,
) -> None:
    """The list, a study, its invitation, and a question of each protocol; the page's own policy is off for axe."""
    address, store = studies
    found: dict[str, list[str]] = {}
    with opened(browser, address, phone=phone, scheme=scheme, bypass_csp=True) as page:
        page.goto(f"{address}/study")
        found["list"] = serious(page, axe)
        for name in ("mos", "mor", "pairwise"):
            page.goto(f"{address}/study/of/{name}")
            found[f"{name} for its owner"] = serious(page, axe)
            page.goto(f"{address}/study/rate/{store.study(name).invitation}")
            found[f"{name} invitation"] = serious(page, axe)
            page.get_by_role("button", name="Begin").click()
            expect(page.locator("#zoom")).to_have_text(re.compile("%"))
            found[f"{name} question"] = serious(page, axe)
            assert page.evaluate("document.documentElement.scrollWidth") <= (360 if phone else 1200)
    assert not any(found.values()), found
