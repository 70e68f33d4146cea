"""The long stories of a studio, told short; `make torture-studio` tells them long."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tests.helpers.browsing import browser as browser
from tests.helpers.real_studios import opened_studio
from tests.studio.stories import killed


def test_a_killed_server_loses_no_job_under_an_open_page(browser: Any, tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    killed(browser, tmp_path / "home", 1, seed)


def test_who_comes_without_the_token_reads_what_to_open(browser: Any, tmp_path: Path) -> None:
    with opened_studio(tmp_path / "home") as studio:
        page = browser.new_context().new_page()
        page.goto(studio.base)
        assert "Open the one that reverie studio printed" in page.locator("p").inner_text()
        page.goto(studio.address)
        page.wait_for_url(f"{studio.base}/")
        assert page.locator("#nav").count() == 1
        assert studio.end() == 0
