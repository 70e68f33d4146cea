"""`reverie see` and Ctrl-C: what is done becomes a page, and the same command makes it whole."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.helpers.commands import Run, listed
from tests.helpers.seen_pages import FEW, assert_page, interrupted_at

from reverie.networks import Network

pytestmark = pytest.mark.usefixtures("place", "briefly")


@pytest.mark.parametrize(("words", "done"), [("light: enhancing", 0), ("edge: rebuilding", 1), ("edge: counting", 1)])
def test_ctrl_c_leaves_a_page_of_what_is_done(
    run: Run, hand: Network, small: Path, monkeypatch: pytest.MonkeyPatch, words: str, done: int
) -> None:
    interrupted_at(monkeypatch, words)
    before = signal.getsignal(signal.SIGINT)
    answer = run("see", small.name, *FEW)
    assert answer.code == 130 and signal.getsignal(signal.SIGINT) is before
    assert "stopped early" in answer.err and "Traceback" not in answer.err
    if not done:
        assert answer.out == "" and "no layer was done, so there is no page" in answer.err and not Path("small-seen").exists()
        return
    assert answer.out == "small-seen/index.html\n" and f"the page has {done} of 2 layers" in answer.err
    assert_page(Path("small-seen"), done, 2)
    unfinished = Path("small-seen/index.html").read_text("utf-8")
    assert "This page is unfinished." in unfinished and f"{done} of 2 layers" in unfinished


def test_ctrl_c_with_json_says_what_is_done(run: Run, hand: Network, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_at(monkeypatch, "edge: enhancing")
    answer = run("see", small.name, *FEW, "--json")
    assert answer.code == 130 and [each["name"] for each in answer.data[0]["layers"]] == ["light"]
    assert answer.data[0]["expected"] == 2 and Path(answer.data[0]["path"]).is_file()


def test_ctrl_c_twice_gives_up_and_leaves_a_page(run: Run, hand: Network, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_at(monkeypatch, "edge: rebuilding", 2)
    answer = run("see", small.name, *FEW)
    assert answer.code == 130 and "Traceback" not in answer.err
    assert_page(Path("small-seen"), 1, 2)


def test_after_ctrl_c_the_same_command_makes_it_whole(
    run: Run, hand: Network, small: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupted_at(patch, "edge: rebuilding")
        assert run("see", small.name, *FEW, "--handout").code == 130
    assert listed(place / "small-seen") == ["index.html", "see.json"]
    again = run("see", small.name, *FEW, "--handout")
    assert again.code == 0 and again.out.splitlines() == ["small-seen/index.html", "small-seen/handout.html"]
    assert_page(Path("small-seen"), 2, 2)
    assert "small-seen-2" not in listed(place)
