"""The handout and the page that links several: what they show, in words that everyone knows, and inert to strangers' text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import html5lib
import pytest
from tests.helpers.sights import bare, noise, noisy, rung, sight

from reverie.insight import Sight
from reverie.insight.handout import STEPS, layout, steps
from reverie.insight.index_page import index_entry, index_page
from reverie.insight.seen_part import on_handout, on_page
from reverie.networks import Label
from reverie.pictures import Picture

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
    ("field", "seen", "words"),
    [
        (96, (80, 112), "about nine tenths as wide as the picture, and over its full height"),
        (75, (80, 112), "about two thirds as wide as the picture"),
        (66, (80, 112), "about three fifths as wide as"), (56, (80, 112), "about half as wide as"),
        (28, (80, 112), "about a quarter as wide as"),
        (12, (80, 112), "about a tenth as wide as"), (8, (80, 112), "about a fifteenth as wide as"),
        (3, (80, 112), "about a fortieth as wide as"),
        (3, (900, 1200), "less than a hundredth as wide as"), (110, (80, 112), "about as wide as the picture, and over its full height"),
        (90, (112, 80), "as wide as the picture, but not as high"),
    ],
)  # fmt: skip
def test_page_and_handout_tell_the_same_part_of_the_picture(field: int, seen: tuple[int, int], words: str) -> None:
    assert words in on_handout(field, seen) and words in on_page(field, seen)


@pytest.mark.parametrize(
    ("field", "handout", "page"),
    [
        (None, "the whole picture at once", "sees all of the picture"), (224, "It looks at the whole", "wherever it stands"),
        (112, "From the middle it looks at the whole picture", "from the middle all of the picture"),
    ],
)  # fmt: skip
def test_what_sees_all_of_it_is_told_so(field: int | None, handout: str, page: str) -> None:
    assert handout in on_handout(field, (80, 112)) and page in on_page(field, (80, 112))


@pytest.mark.parametrize("ratio", [0.25, 0.67, 1.0, 1.5, 4.0])
def test_the_fewer_steps_the_larger_their_pictures_or_the_room_for_answers(ratio: float) -> None:
    found = [layout(count, ratio, 3) for count in range(1, STEPS + 1)]
    assert all(each.lines >= 1 for each in found[:4])
    assert found[0].height >= max(each.height for each in found)
    for count, each in enumerate(found, 1):
        assert 2 * each.height * ratio <= 18.8 / each.columns + 0.1  # side by side
        assert -(-count // each.columns) * each.height + 3 * each.lines * each.line < 14.3  # cm: beside the head and the foot


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
    for words in ("It says", "Right", "Left", "on the right", "to say what a picture shows"):
        assert words not in said, words
    assert "Below: the picture, drawn again" in said and "small details or large shapes?" in said and "colours" not in said


def test_a_grey_photograph_has_no_colours_to_lose() -> None:
    grey = Picture(noise(1, 64, 96).expand(3, -1, -1))
    assert "colours or large shapes" not in texts(sight(3, picture=grey).handout())
    assert "colours or large shapes" in texts(sight(3).handout())


def test_the_questions_are_of_what_is_on_the_sheet() -> None:
    one, several, none = (texts(sight(count).handout()) for count in (1, 3, 0))
    for words in ("From which step on", "lost first", "Step 1 of"):
        assert words not in one and words not in none
    assert "From which step on" in several and "What is lost first" in several and "1 Step 1 of 3" in several
    for words in ("Can you still tell what the picture shows from how it was drawn again?", "What is lost there",
                  "This sheet shows one of its steps.", "One step of many"):  # fmt: skip
        assert words in one and words not in several and words not in none
    assert "Questions" not in none


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
