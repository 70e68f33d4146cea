"""How fast the studio is, seen from Chromium and from fifty clients on the same machine: `python -m bench.studio [--seconds N]`.

Each line has the machine's load average beside it: what else runs there slows all of it, and is not subtracted.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.helpers.browsing import launched
from tests.helpers.real_studios import OVER, RealStudio, opened_studio
from tests.helpers.studio_pages import Page
from tests.helpers.studios import sky

from reverie.recipe import LEVELS

CLIENTS = 50
TRIES = 10_000  # of 25 ms: a busy machine takes minutes for what takes seconds
BETWEEN = 0.5  # seconds that a client rests between two rounds
DREAM = {"level": "objects", "width": 640, "seed": 7}
LOOKS = ["Home", *["ArrowRight"] * (len(LEVELS) - 1)]  # keys that lead through all levels
# milliseconds from a key on the slider to the next frame, and to the end of the small preview
FIRST_FRAME = """async () => {
  const stage = document.querySelector('.stage'), before = Number(stage.dataset.frames ?? 0), began = performance.now();
  while (Number(stage.dataset.frames ?? 0) === before) {
    if (performance.now() - began > 120000) return null;
    await new Promise((done) => setTimeout(done, 5));
  }
  return performance.now() - began;
}"""


def told(what: str, figure: str) -> None:
    print(f"{what:<64} {figure:>22}   load {os.getloadavg()[0]:.1f}", flush=True)


def page_of(studio: RealStudio, browser: Any) -> Page:
    """The page, opened and timed until it shows a picture."""
    page = Page(browser.new_context(viewport={"width": 1280, "height": 800}).new_page(), studio.base)
    began = time.monotonic()
    page.page.goto(studio.address)
    page.until("document.querySelector('main h1') && document.querySelector('.start').naturalWidth", TRIES)
    told("page asked for → it shows the picture", f"{time.monotonic() - began:.1f} s")
    return page


def previews(page: Page, when: str) -> None:
    """The first frame at each level, from the key that asks for it."""
    page.until(
        "document.querySelector('.stage').dataset.frames && document.querySelector('.plate').getAttribute('aria-busy') === 'false'", TRIES
    )
    for turn in ("first look", "second look"):
        found = []
        for level, key in zip(LEVELS, LOOKS, strict=True):
            page.locator(".levels input").press(key)
            took = page.evaluate(FIRST_FRAME)
            found.append(f"{level} {'none' if took is None else f'{took / 1000:.2f}'}")
            page.until("document.querySelector('.plate').getAttribute('aria-busy') === 'false'", TRIES)
        told(f"first frame, {when}, {turn} (s)", "")
        print("    " + ", ".join(found), flush=True)


def clients(studio: RealStudio, start: str, seconds: float) -> None:
    """Fifty pages at once during a dream at 640 pixels: each listens, and asks for the state, the job, the gallery and a picture of it."""
    job = studio.order("dream", start, {**DREAM, "steps": 2000})
    studio.until(lambda: studio.job(job)["state"] == "running")
    shown = studio.ask("GET", "/api/pictures?limit=1")["pictures"]
    ends, lock, took, statuses = time.monotonic() + seconds, threading.Lock(), list[float](), Counter[int]()
    heard: list[int] = []
    paths = ["/api/state", f"/api/jobs/{job}/preview", "/api/pictures?limit=60", *(f"/api/pictures/{each['id']}/thumb" for each in shown)]

    def listen() -> None:
        heard.append(studio.listened(ends))

    def ask() -> None:
        while time.monotonic() < ends:
            for path in paths:
                began = time.monotonic()
                status = studio.answered("GET", path)[0]
                with lock:
                    statuses[status] += 1
                    if path == "/api/state":
                        took.append(time.monotonic() - began)
            time.sleep(BETWEEN)

    threads = [threading.Thread(target=work) for work in (ask, listen) for _ in range(CLIENTS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    studio.ask("POST", f"/api/jobs/{job}/cancel")
    bad = sum(number for status, number in statuses.items() if status >= 500)
    told(f"{CLIENTS} clients, {len(took)} × state: median, p95", f"{1000 * statistics.median(took):.0f}, {1000 * p95(took):.0f} ms")
    told(f"of {CLIENTS} that listen, heard what happened", str(sum(each > 0 for each in heard)))
    told(f"answers of 500 and above, of {sum(statuses.values())}", str(bad))


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def beside_a_job(studio: RealStudio, start: str) -> None:
    """Previews while a dream runs: when the first frame comes, and whether the dream's bytes are those of one that nobody disturbed."""
    alone = result(studio, studio.order("dream", start, {**DREAM, "steps": 24}))
    waits: list[float] = []
    job = studio.order("dream", start, {**DREAM, "steps": 24})
    studio.until(lambda: studio.job(job)["done"] > 0)
    while studio.job(job)["state"] == "running" and len(waits) < 3:
        began = time.monotonic()
        asked = {"session": "bench", "command": "dream", "subjects": [start], "choices": {"level": LEVELS[len(waits)]}, "side": 320}
        number = studio.ask("POST", "/api/previews", asked)["preview"]
        studio.until(lambda number=number: studio.answered("GET", f"/api/previews/{number}")[0] == 200)  # type: ignore[misc]
        waits.append(time.monotonic() - began)
    told("first frame beside a running dream at 640 px", ", ".join(f"{each:.1f}" for each in waits) + " s")
    told("the dream's bytes are as without previews", "yes" if result(studio, job) == alone else "NO")


def result(studio: RealStudio, job: int) -> str:
    """The sha256 of what a job made."""
    studio.until(lambda: studio.job(job)["state"] in OVER, 600)
    (made,) = studio.job(job)["results"]
    return hashlib.sha256(studio.answered("GET", f"/api/pictures/{made}/download")[2]).hexdigest()


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as place, launched() as browser, opened_studio(Path(place) / "home") as studio:
        told("command → address", f"{studio.started:.1f} s")
        page = page_of(studio, browser)
        began = time.monotonic()
        page.until("document.querySelector('.stage').dataset.frames", TRIES)
        told("page shown → its first frame", f"{time.monotonic() - began:.1f} s")
        previews(page, "no job running")
        page.page.close()
        start = studio.bring(sky(960, 1280))
        beside_a_job(studio, start)
        clients(studio, start, seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="that fifty clients ask")
    main(parser.parse_args().seconds)
