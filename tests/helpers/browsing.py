"""What the tests of pages in a browser share: Debian's chromium, a page opened in it, and what axe finds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@contextmanager
def launched(*flags: str) -> Iterator[Any]:
    """Debian's chromium, with more flags than all tests give it."""
    where = shutil.which("chromium")
    if where is None:
        pytest.skip("no chromium on this machine: the page is not looked at in a browser")
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    with driver.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=where, args=[*FLAGS, *flags])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as opened:
        yield opened


def opened(browser: Any, file: Path, **options: Any) -> tuple[Any, list[str]]:
    """The page, and every address it asked for or fault it reported."""
    page = browser.new_context(**({"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options)).new_page()
    heard: list[str] = []
    page.on("request", lambda request: None if request.url.startswith("data:") else heard.append(request.url))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text))
    page.goto(file.as_uri())
    return page, heard


def axe_faults(page: Any) -> list[tuple[str, list[str]]]:
    """What axe finds wrong with a page, and where."""
    axe = pytest.importorskip("axe_core_python", reason="axe is not installed: pip install axe-core-python")
    page.evaluate((Path(str(axe.__file__)).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 12
    return [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found["violations"]]
