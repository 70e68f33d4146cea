"""Sizes of prints, and the pixels a picture has on them, against sums worked out by hand."""

from __future__ import annotations

import pytest

from reverie.errors import UsageError
from reverie.recipe import paper
from reverie.recipe.print_sizes import Paper


def read(text: str) -> Paper:
    found = paper(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "pixels"),  # height, width at 300 dots per inch
    [
        ("A4", (3508, 2480)),
        ("a3 landscape", (3508, 4961)),
        ("Landscape-A3", (3508, 4961)),
        ("letter", (3300, 2550)),
        ("Tabloid", (5100, 3300)),
        ("60x40cm", (4724, 7087)),
        ("600 × 400 mm", (4724, 7087)),
        ("8x10in", (3000, 2400)),
        ('8.5 x 11"', (3300, 2550)),
        ("29,7x21 cm", (2480, 3508)),
        ("60x40cm portrait", (7087, 4724)),
        ("10cm x 100mm", (1181, 1181)),
    ],
)
def test_sizes_as_people_write_them(text: str, pixels: tuple[int, int]) -> None:
    assert read(text).pixels(300) == pixels


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("60x40", "without a unit; say which: print=60x40cm"),
        ("60cm", "write both sides"),
        ("a9", "there is A0"),
        ("billboard", "there is A0"),
        ("0x3cm", "from 1 mm"),
        ("99999x3m", "100 m"),
        ("a3 portrait landscape", "not both"),
        ("", "no paper"),
        ("60x-40cm", "write both sides"),
    ],
)
def test_what_is_no_size_is_said(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        paper(text)
    assert part in str(caught.value), caught.value


def test_a_picture_goes_on_whole_and_the_paper_is_turned_as_it_is() -> None:
    a3 = read("A3")
    assert a3.turned_as(300, 450) == Paper(42.0, 29.7) and a3.turned_as(450, 300) == Paper(29.7, 42.0)
    assert read("A3 portrait").turned_as(300, 450).width == 29.7
    across = a3.turned_as(300, 450)
    assert across.fitted(300, 450, 300) == (3307, 4961)  # as wide as the paper: 2/3 of it high
    assert across.fitted(100, 1000, 300) == (496, 4961)
    assert across.fitted(300, 310, 300) == (3508, 3625)  # as high as the paper
    assert across.told(3307, 4961, 300) == (
        "printed at 300 dpi: 42.0×28.0 cm, 4961×3307 pixels; of paper of 42.0×29.7 cm 0.9 cm stay free above and below"
    )
    assert read("60x40cm").told(4724, 7087, 300) == "printed at 300 dpi: 60.0×40.0 cm, 7087×4724 pixels"
    for height in range(16, 700, 7):  # never larger than the paper, one side as long as it, and the shape a redo will find
        high, wide = across.fitted(height, 333, 100)
        most = across.pixels(100)
        assert high <= most[0] and wide <= most[1] and (high >= most[0] - 3 or wide == most[1])
        assert high == max(1, round(height * wide / 333))
