"""Long stories of a studio and the page on it, with the command itself: its server is killed while jobs run and the page stays open. It
takes minutes: `python -m tests.studio.stories [--kills N] [--seed N]`; the suite tells it with fewer kills."""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path
from typing import Any

from tests.helpers.browsing import launched
from tests.helpers.real_studios import OVER, RealStudio, opened_studio
from tests.helpers.studio_pages import Page
from tests.helpers.studios import QUICK, sky

BANNER = "document.querySelector('#banner')"


def killed(browser: Any, folder: Path, count: int, seed: int) -> str:
    """Kill the server while jobs run and a page is open; each time somebody opens the address that the next one prints.

    Returns:
        what came of it, in words. An AssertionError says what was lost, made twice, or not told.
    """
    chance = random.Random(seed)
    with opened_studio(folder) as studio:
        start = studio.bring(sky())
        expected = _ordered(studio, start, 0)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page = Page(context.new_page(), studio.base)
        page.page.goto(studio.address)
        page.go("queue")
        for number in range(1, count + 1):
            if all(studio.job(each)["state"] in OVER for each in expected):
                expected |= _ordered(studio, start, number)
            after = studio.ask("GET", "/api/state")["event"] + chance.randrange(1, 12)
            studio.until(lambda after=after: studio.ask("GET", "/api/state")["event"] >= after or _all_over(studio))  # type: ignore[misc]
            studio.kill()
            page.until(f"!{BANNER}.hidden && {BANNER}.textContent.includes('connection is lost')")
            studio.start()
            page.until(f"{BANNER}.textContent.includes('started anew')")
            other = context.new_page()  # as the browser does when the command opens it
            other.goto(studio.address)
            page.until(f"{BANNER}.hidden")
            other.close()
        studio.until(lambda: _all_over(studio))
        jobs = {each: studio.job(each) for each in expected}
        assert {number: (each["state"], len(each["results"])) for number, each in jobs.items()} == {
            number: ("done", results) for number, results in expected.items()
        }, jobs
        made = [each for job in jobs.values() for each in job["results"]]
        found = [each["id"] for each in studio.ask("GET", "/api/pictures?limit=200")["pictures"]]
        assert len(set(made)) == len(made) and sorted(made) == sorted(found)
        assert len([*(folder / "pictures").iterdir()]) == len(made) and not [*(folder / "work").iterdir()]
        page.until(f"document.querySelectorAll('.job[data-state=done]').length === {len(jobs)}")
        page.go("pictures")
        page.until(f"document.querySelectorAll('.shots li').length === {len(made)}")
        assert page.heard == []
        context.close()
    return f"{count} kills of the server under an open page: {len(jobs)} jobs done, {len(made)} results, each once"


def _ordered(studio: RealStudio, start: str, turn: int) -> dict[int, int]:
    """Jobs in the queue: the number of each, and how many results it shall have."""
    dream = studio.order("dream", start, {**QUICK, "steps": 12, "seed": f"{10 * turn}-{10 * turn + 3}"})
    film = studio.order("journey", start, {**QUICK, "frames": 12, "rounds": 1, "seed": turn})
    return {dream: 4, film: 1}


def _all_over(studio: RealStudio) -> bool:
    return all(each["state"] in OVER for each in studio.ask("GET", "/api/state")["jobs"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as place, launched() as opened_browser:
        print(killed(opened_browser, Path(place) / "home", given.kills, given.seed))
