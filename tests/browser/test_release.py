"""A release in a real browser, from the upload to the release signature, and what people need who don't use a mouse."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tools.screenshots import become, browser, play_release, write_configuration

from signpath_ci.sandbox.child import running_sandbox
from tests.support.needs import reason

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).parents[1] / "platforms" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
WIDTHS = {"wide": 1280, "narrow": 360}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    try:
        with browser() as running:
            yield running
    except FileNotFoundError:
        pytest.skip(reason("chromium"))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    configuration = write_configuration(tmp_path_factory.mktemp("browser"))
    with running_sandbox(["--config", str(configuration), "--processing-seconds", "0.2"]) as about:
        yield about


@contextmanager
def _page(chromium: Browser, expected: tuple[str, ...] = (), **options: Any) -> Iterator[Page]:
    """Open a page; whatever else than expected the browser complains about fails the test."""
    complaints: list[str] = []
    with chromium.new_context(**options) as context:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(15_000)
        yield page
    assert [text for text in complaints if not any(known in text for known in expected)] == []


def _axe(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe-core finds on a page: rules, and the elements that break them."""
    if not AXE.exists():
        pytest.skip(reason("axe-core"))
    page.evaluate(AXE.read_text("utf-8"))
    found = json.loads(page.evaluate("axe.run().then((found) => JSON.stringify(found.violations))"))
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]


@pytest.fixture(scope="module")
def request_url(chromium: Browser, sandbox: dict[str, Any]) -> str:
    """Play the release, and return the page of the request that was signed for it."""
    findings: dict[str, list[tuple[str, list[str]]]] = {}
    SHOTS.mkdir(parents=True, exist_ok=True)

    def shoot(page: Page, name: str) -> None:
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
        if found := _axe(page):
            findings[name] = found

    with _page(chromium, viewport={"width": 1280, "height": 900}) as page:
        play_release(page, sandbox["web_url"], shoot)
        assert findings == {}
        return page.url


def test_a_release_is_played_by_hand(chromium: Browser, request_url: str, tmp_path: Path) -> None:
    with _page(chromium, accept_downloads=True) as page:
        page.goto(request_url)
        with page.expect_download() as download:
            page.click("text=Download signed artifact")
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)

    assert path.name == "editor-2.4.0.zip"
    with zipfile.ZipFile(path) as archive:
        assert b"acme-release" in archive.read("bin/editor.exe")
        assert b"acme-release" not in archive.read("doc/readme.txt")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_is_accessible(
    chromium: Browser, sandbox: dict[str, Any], request_url: str, scheme: str, width: str
) -> None:
    web = sandbox["web_url"]
    pages = {
        "list": web,
        "request": request_url,
        "upload": f"{web}/sign",
        "projects": f"{web}/projects",
        "project": f"{web}/projects/editor",
        "configuration": f"{web}/projects/editor/configurations/release",
        "connect": f"{web}/connect",
    }
    with _page(chromium, color_scheme=scheme, viewport={"width": WIDTHS[width], "height": 800}) as page:
        for name, url in pages.items():
            page.goto(url)
            page.screenshot(path=SHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
            assert (name, page.evaluate("document.documentElement.scrollWidth")) == (name, WIDTHS[width])
            assert (name, _axe(page)) == (name, [])


def test_the_tree_shows_what_was_done_to_each_file(chromium: Browser, request_url: str) -> None:
    with _page(chromium) as page:
        page.goto(request_url)
        nodes = page.eval_on_selector_all(
            ".tree .node:has(.result)",
            "nodes => nodes.map(node => [node.children[0].innerText, node.children[1].innerText])",
        )
    assert sorted(map(tuple, nodes)) == [
        ("editor.exe", "Signed"),
        ("install.ps1", "Signed"),
        ("spelling.dll", "Signed"),
        ("themes.dll", "Signed"),
    ]


def test_a_file_is_signed_with_the_keyboard_alone(chromium: Browser, sandbox: dict[str, Any]) -> None:
    with _page(chromium) as page:
        page.goto(f"{sandbox['web_url']}/sign")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.set_input_files(
            "#artifact", {"name": "a.exe", "mimeType": "application/x-msdownload", "buffer": b"no ZIP"}
        )
        page.focus("#description")
        page.keyboard.type("With the keyboard")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#status .badge.bad")
        assert page.inner_text("h1") == "a.exe"


def test_everything_works_without_javascript(chromium: Browser, sandbox: dict[str, Any]) -> None:
    with _page(chromium, java_script_enabled=False) as page:
        page.goto(f"{sandbox['web_url']}/sign")
        page.set_input_files("#artifact", {"name": "b.zip", "mimeType": "application/zip", "buffer": b"no ZIP"})
        page.click("#upload button.primary")
        page.wait_for_selector("#status .badge.bad")
        page.click("text=Resubmit with current settings")
        page.wait_for_selector("text=Resubmitted from")
        page.select_option("#user", "Sam (security)")
        page.click("text=Switch")
        assert "may not" not in page.inner_text("main")


def test_errors_of_a_configuration_lead_to_their_line(chromium: Browser, sandbox: dict[str, Any]) -> None:
    url = f"{sandbox['web_url']}/projects/editor/configurations/release"
    with _page(chromium, expected=("400 (Bad Request)",)) as page:
        page.goto(url)
        text = page.input_value("#xml")
        page.fill("#xml", text.replace('path="bin"', 'pathh="bin"'))
        with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
            page.click("main button.primary >> text=Save")
        assert posted.value.status == 400
        page.click("#errors a >> nth=0")
        page.wait_for_function("document.activeElement.id === 'xml'")
        selected = page.evaluate("xml.value.slice(xml.selectionStart, xml.selectionEnd)")
        assert selected.strip() == '<directory pathh="bin">'
        become(page, "Robin (release manager)")
