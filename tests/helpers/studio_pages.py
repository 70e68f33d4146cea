"""What the tests of the studio's page share: a view in the browser, and what the page asked of the server."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.studio.fake_server import Studio


def picture(seed: int, width: int = 96, height: int = 64) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


class Page:
    """A view in the browser.

    Attributes:
        heard: faults of scripts, refusals of the policy, and addresses of other places that were asked for.
    """

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.heard: list[str] = []
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        page.on(
            "console", lambda message: self.heard.append(message.text) if "Refused" in message.text or "Policy" in message.text else None
        )
        page.on("request", lambda request: None if request.url.startswith((address, "blob:")) else self.heard.append(request.url))

    def go(self, view: str = "") -> None:
        self.page.goto(f"{self.address}/#/{view}")
        self.until("document.querySelector('main h1')")

    def until(self, condition: str, tries: int = 400) -> None:
        """Wait until it is so. Playwright's own waiting evaluates text in the page, which the policy forbids."""
        for _ in range(tries):
            if self.page.evaluate(f"() => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }}"):
                return
            self.page.wait_for_timeout(25)
        pytest.fail(f"never: {condition}; heard {self.heard}")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)


def asked(studio: Studio, path: str) -> list[Any]:
    """What was sent to a path."""
    return [body for at, body in studio.asked if at == path]
