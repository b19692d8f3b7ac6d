"""Plays a release in the sandbox's pages, as a person does it, and takes the pictures of the documentation.

Started by `make docs`. The tests play the same in `tests/browser`, and look closer.
"""

from __future__ import annotations

import io
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
CONFIGURATION = """\
organization: {id: 5f2d3a52-3c2c-4d4e-9a51-0f0b6f5f8a11, name: Acme}
users:
  - {name: Dana (developer), may: [submit, configure]}
  - {name: Robin (release manager), may: [approve]}
  - {name: Sam (security), may: [approve]}
api_tokens:
  - {name: ci, token: ci-token}
projects:
  - slug: editor
    name: Acme Editor
    artifact_configurations:
      - {slug: release, name: Release archive, file: release.xml}
    signing_policies:
      - {slug: test-signing, name: Test signing, certificate: acme-test}
      - slug: release-signing
        name: Release signing
        certificate: acme-release
        required_approvals: 2
        submitter_may_approve: false
"""
ARTIFACT_CONFIGURATION = """\
<artifact-configuration xmlns="http://signpath.io/artifact-configuration/v1">
  <zip-file>
    <directory path="bin">
      <pe-file path="editor.exe"><authenticode-sign/></pe-file>
      <pe-file-set>
        <include path="*.dll" max-matches="unbounded"/>
        <for-each><authenticode-sign/></for-each>
      </pe-file-set>
    </directory>
    <powershell-file path="install.ps1"><authenticode-sign/></powershell-file>
  </zip-file>
</artifact-configuration>
"""
Shoot = Callable[["Page", str], None]


@contextmanager
def browser() -> Iterator[Browser]:
    """Run Chromium.

    Raises:
        FileNotFoundError: it is not installed.
    """
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise FileNotFoundError("chromium")
    with sync_playwright() as playwright:
        # Without its own sandbox, since containers and root have none to offer; it only sees this project's pages.
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield running
        finally:
            running.close()


def write_configuration(directory: Path) -> Path:
    """Write a sandbox's configuration, and return its path."""
    (directory / "release.xml").write_text(ARTIFACT_CONFIGURATION, "utf-8")
    file = directory / "sandbox.yml"
    file.write_text(CONFIGURATION, "utf-8")
    return file


def release_archive() -> bytes:
    """Return what a build has made: a ZIP with real Windows programs."""
    launchers = files("distlib") or ()
    program = next(Path(str(file.locate())) for file in launchers if file.name == "t64.exe").read_bytes()
    content = {
        "bin/editor.exe": program,
        "bin/spelling.dll": program,
        "bin/themes.dll": program,
        "install.ps1": b"Write-Output 'Acme Editor is installed.'\r\n",
        "doc/readme.txt": b"Acme Editor 2.4.0\r\n",
        "doc/licence.txt": b"Apache-2.0\r\n",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 28, 12, 0, 0)), data)
    return buffer.getvalue()


def become(page: Page, name: str) -> None:
    """Choose who one is."""
    page.select_option("#user", name)
    page.wait_for_function("name => document.querySelector('#user').selectedOptions[0].text === name", arg=name)


def play_release(page: Page, root: str, shoot: Shoot) -> None:
    """Upload an archive, have it signed for tests, resubmit it for release, approve it twice, and see it completed.

    Args:
        page: of a browser.
        root: URL of the sandbox's pages.
        shoot: called with the page wherever there is something to see, and a name for it.
    """
    page.goto(root)
    shoot(page, "empty")
    page.click("nav >> text=Sign artifact")
    page.set_input_files(
        "#artifact", {"name": "editor-2.4.0.zip", "mimeType": "application/zip", "buffer": release_archive()}
    )
    page.fill("#description", "Acme Editor 2.4.0")
    shoot(page, "sign")
    page.click("#upload button.primary")
    page.wait_for_selector("#status .badge.good")
    shoot(page, "test-signed")
    page.click("text=Resubmit signing request")
    page.check("input[value=release-signing]")
    shoot(page, "resubmit")
    page.click("main button.primary")
    page.wait_for_selector("#status .badge.wait")
    become(page, "Robin (release manager)")
    page.fill("#reason", "All tests passed on the three test machines.")
    shoot(page, "approve")
    page.click("button:has-text('Approve')")
    page.wait_for_selector("text=1 of 2 given")
    become(page, "Sam (security)")
    page.goto(root)
    shoot(page, "waiting")
    page.click("#waiting-heading + ul a")
    page.click("button:has-text('Approve')")
    page.wait_for_selector("#status .badge.good")
    become(page, "Dana (developer)")
    page.wait_for_selector("text=2 of 2 given")
    shoot(page, "request-page")


def main() -> int:
    """Renew the pictures that the documentation shows."""
    import tempfile

    from signpath_ci.sandbox.child import running_sandbox

    shown = {"request-page", "sign", "approve"}
    IMAGES.mkdir(exist_ok=True)

    def shoot(page: Page, name: str) -> None:
        if name in shown:
            page.screenshot(path=IMAGES / f"{name}.png", full_page=True, animations="disabled")

    try:
        with tempfile.TemporaryDirectory() as directory:
            options = ["--config", str(write_configuration(Path(directory))), "--processing-seconds", "0.5"]
            with running_sandbox(options) as sandbox, browser() as chromium:
                context = chromium.new_context(viewport={"width": 1200, "height": 800})
                play_release(context.new_page(), str(sandbox["web_url"]), shoot)
    except FileNotFoundError:
        sys.stderr.write("warning: without Chromium the pictures of the documentation are not renewed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
