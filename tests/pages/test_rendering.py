"""What all pages have in common: figures in words, and data that no markup can end."""

from __future__ import annotations

import json

import pytest

from reverie.pages import hex_colour, percent, signed
from reverie.pages.rendering import inert_json


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0, "0 %"), (0.0004, "under 0.1 %"), (0.004, "0.4 %"), (0.714, "71 %"), (0.995, "over 99 %"), (0.9999, "over 99 %"), (1, "100 %")],
)
def test_a_probability_is_never_told_as_more_certain_than_it_is(probability: float, words: str) -> None:
    assert percent(probability) == words.replace(" %", "\u00a0%")


def test_numbers_with_their_sign_and_colours_as_css_has_them() -> None:
    assert (signed(0.424), signed(-0.7)) == ("+0.42", "−0.70")
    assert hex_colour((255, 150, 4)) == "#ff9604"


def test_data_in_a_page_cannot_end_its_element() -> None:
    hostile = {"name": "</script><!--&\u2028é"}
    text = inert_json(hostile)
    assert not set("<>&") & set(text) and text.isascii() and json.loads(text) == hostile
