"""The handout and the page that links several: what they show, in words that everyone knows, and inert to strangers' text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import html5lib
import pytest
from tests.helpers.sights import bare, noisy, rung, sight

from reverie.insight import Sight
from reverie.insight.handout import steps, window
from reverie.insight.index_page import index_entry, index_page
from reverie.networks import Label

LEVELS = ("edges", "textures", "patterns", "parts", "objects", "scenes")
HOSTILE = '"><script>alert(1)</script>.png'


def climbed(count: int, *levels: int) -> Sight:
    """So many layers, with the six levels at these."""
    names = dict(zip(levels, LEVELS, strict=False))
    layers = tuple(replace(each, layer=each.layer._replace(level=names.get(number))) for number, each in
                   ((number, rung(number)) for number in range(1, count + 1)))  # fmt: skip
    return sight(layers=layers, expected=count)


def texts(page: str) -> str:
    """What a person reads, white space evened out."""
    root: Any = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(re.sub(r"(?s)<script.*?</script>", "", page))
    return re.sub(r"\s+", " ", "".join(root.find("body").itertext()))


@pytest.mark.parametrize(
    ("count", "levels", "shown"),
    [
        (16, (2, 4, 7, 9, 10, 14), [2, 4, 7, 9, 10, 14]), (12, (), [1, 3, 5, 8, 10, 12]), (6, (), [1, 2, 3, 4, 5, 6]), (3, (2,), [1, 2, 3]),
        (1, (), [1]), (2, (1, 2), [1, 2]),
    ],
)  # fmt: skip
def test_six_steps_are_shown_lowest_first(count: int, levels: tuple[int, ...], shown: list[int]) -> None:
    assert [int(each.name.removeprefix("blocks.")) for each in steps(climbed(count, *levels).layers)] == shown


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (None, "the whole picture at once"), (224, "the whole picture at once"), (111, "as wide as the picture"),
        (75, "two thirds as wide"),
        (56, "about half as wide"), (36, "about a third as wide"), (12, "about a tenth as wide"), (6, "about a twentieth as wide"),
        (3, "as small as a few dots"),
    ],
)  # fmt: skip
def test_the_window_is_told_in_parts_of_the_picture(field: int | None, words: str) -> None:
    assert words in window(field, 112)


def test_the_handout_says_what_it_shows_in_plain_words() -> None:
    page = climbed(6, 1, 2, 3, 4, 5, 6).handout()
    said = texts(page)
    for words in ("It says: Egyptian cat", "It is fairly sure: 77 of 100.", "Its next guess is tabby: less than 1 of 100.", "1 Edges",
                  "6 Scenes", "Parts of things: an eye, a leaf, a wheel.", "Which parts can you still name?", "Questions"):  # fmt: skip
        assert words in said, words
    sheet = said[: said.index("For the teacher", 60)]
    for word in ("layer", "channel", "neural", "activation", "network", "pixel", "blocks"):
        assert word not in sheet.lower(), word
    assert page.count("<img") == 1 + 6 * 2


def test_the_handout_of_what_has_no_labels_no_enhanced_pictures_or_no_colours() -> None:
    little = sight(labels=(), why=None, against=None, layers=(bare(rung(1)),), expected=1, picture=noisy(1, 28, 28), seen=(28, 28))
    said = texts(little.handout())
    assert "It says" not in said and "Right" not in said and "on the right" not in said and "Step 1 of 1" in said
    assert "small details or large shapes?" in said and "colours" not in said


def test_strangers_text_is_inert() -> None:
    seen = sight(name=HOSTILE, network=HOSTILE, labels=(Label(0, HOSTILE, 1.0),), layers=(), expected=0)
    for page in (seen.handout(), index_page([index_entry(seen, f"{HOSTILE}/index.html", 0)])):
        assert "<script>alert" not in page and "alert(1)" in texts(page)


def test_the_page_that_links_others() -> None:
    whole, part = sight(4), sight(4, expected=9, name="été 2.png", labels=())
    page = index_page([index_entry(whole, "a-seen/index.html", 4), index_entry(part, "#b?-seen/index.html", 4)])
    said = texts(page)
    assert "2 pictures" in said and "Egyptian cat, 77 %" in said and "4 layers" in said and "4 of 9 layers so far" in said
    assert 'href="a-seen/index.html"' in page and 'href="%23b%3F-seen/index.html"' in page and "été 2.png" in said
