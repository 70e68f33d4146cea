"""Contact sheets: every picture in its place, its shape kept, with a label under it that can be read."""

from __future__ import annotations

import math

import pytest
import torch
from PIL import ImageFont
from torch import Tensor

from reverie.errors import UsageError
from reverie.pictures import contact_sheet, strip, table_sheet
from reverie.pictures.sheets import EMPTY, GROUND, LABEL, shortened

SIDE = 64
SMALL = ImageFont.load_default(14)


def plain(colour: tuple[float, float, float], height: int = SIDE, width: int = SIDE) -> Tensor:
    return torch.tensor(colour)[:, None, None].expand(3, height, width).clone()


def places(page: Tensor, colour: tuple[float, float, float]) -> tuple[int, int, int, int]:
    """top, left, height, width of what has this colour; it is a whole rectangle."""
    same = (page - torch.tensor(colour)[:, None, None]).abs().amax(0) < 1e-4  # (H, W)
    rows, columns = same.any(1).nonzero()[:, 0].tolist(), same.any(0).nonzero()[:, 0].tolist()
    top, left, height, width = rows[0], columns[0], rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    assert same[top : top + height, left : left + width].all()
    assert int(same.sum()) == height * width
    return top, left, height, width


def inked(page: Tensor) -> Tensor:
    """(H, W): where there is neither ground nor an empty place."""
    return ((page * 255 - GROUND).abs().amax(0) > 1) & ((page * 255 - EMPTY).abs().amax(0) > 1)


RED, GREEN, BLUE, PALE = (0.9, 0.1, 0.1), (0.1, 0.9, 0.1), (0.1, 0.1, 0.9), (0.9, 0.9, 0.2)


def test_pictures_are_in_reading_order() -> None:
    page = contact_sheet([plain(each) for each in (RED, GREEN, BLUE, PALE)], ["", "", "", ""], side=SIDE, columns=3)
    red, green, blue, pale = (places(page, each) for each in (RED, GREEN, BLUE, PALE))
    assert all(each[2:] == (SIDE, SIDE) for each in (red, green, blue, pale))
    assert red[0] == green[0] == blue[0] < pale[0] - SIDE
    assert red[1] == pale[1] < green[1] < blue[1]
    assert green[1] - red[1] == blue[1] - green[1] > SIDE
    assert page.shape[2] - (blue[1] + SIDE) == red[1]  # the same margin on both sides
    assert page.dtype == torch.float32
    assert page.min() >= 0
    assert page.max() <= 1


@pytest.mark.parametrize(("height", "width", "fitted"), [(32, 64, (32, 64)), (400, 100, (64, 16)), (3, 6, (32, 64)), (1, 1000, (1, 64))])
def test_each_picture_is_fitted_into_its_square_with_its_shape_kept(height: int, width: int, fitted: tuple[int, int]) -> None:
    page = contact_sheet([plain(RED), plain(BLUE, height, width)], ["", ""], side=SIDE, columns=2)
    red, blue = places(page, RED), places(page, BLUE)
    assert blue[2:] == fitted
    assert abs((red[0] + red[2] / 2) - (blue[0] + blue[2] / 2)) <= 0.5  # in the middle of its place
    assert abs(page.shape[2] - (red[1] + red[3] / 2) - (blue[1] + blue[3] / 2)) <= 0.5


def test_places_are_only_as_high_as_the_pictures() -> None:
    wide, square = (
        contact_sheet([plain(RED, 32, 64)] * 4, [""] * 4, side=SIDE, columns=2),
        contact_sheet([plain(RED)] * 4, [""] * 4, side=SIDE, columns=2),
    )
    assert square.shape[1] - wide.shape[1] == 2 * 32
    assert square.shape[2] == wide.shape[2]


def test_a_picture_of_the_right_size_is_on_the_sheet_as_it_is() -> None:
    picture = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    page = contact_sheet([picture], [""], side=SIDE)
    assert any(
        torch.equal(page[:, top : top + SIDE, left : left + SIDE], picture)
        for top in range(page.shape[1] - SIDE)
        for left in range(page.shape[2] - SIDE)
    )


def test_each_label_is_under_its_picture_and_nowhere_else() -> None:
    pictures, labels = [plain(RED), plain(GREEN), plain(BLUE)], ["", "blocks.4.1:12", ""]
    page, bare = contact_sheet(pictures, labels, side=SIDE), contact_sheet(pictures, [""] * 3, side=SIDE)
    top, left, height, width = places(page, GREEN)
    rows, columns = (page != bare).any(0).nonzero().T.tolist()
    assert top + height <= min(rows)
    assert max(rows) < page.shape[1]
    assert left - 1 <= min(columns)
    assert max(columns) <= left + width
    assert page[0, top + height :].max() > 0.8 * LABEL / 255  # light enough to be read on the ground


def test_the_title_is_above_all_pictures() -> None:
    page = contact_sheet([plain(RED)], [""], side=SIDE, title="blocks.4.1")
    top, left, *_ = places(page, RED)
    assert inked(page)[:top, left:].any()
    assert not inked(contact_sheet([plain(RED)], [""], side=SIDE))[: top - SIDE // 2].any()
    assert top > places(contact_sheet([plain(RED)], [""], side=SIDE), RED)[0]


def test_an_empty_place_says_that_it_never_fired() -> None:
    page = contact_sheet([plain(RED), None], ["", ""], side=224, columns=2)
    top, left, height, width = places(page, RED)
    empty = page[:, top : top + height, left + width :]
    assert inked(empty).any()
    rows, columns = inked(empty).nonzero().T.tolist()
    assert abs((min(rows) + max(rows)) / 2 - height / 2) < 8  # in its middle
    middle = (empty.shape[2] - left + (empty.shape[2] - left - width)) / 2
    assert abs((min(columns) + max(columns)) / 2 - middle) < 8
    assert contact_sheet([None], ["unit 3"], side=224).shape == contact_sheet([plain(RED)], ["unit 3"], side=224).shape


@pytest.mark.parametrize("room", [0, 9, 40, 64, 100, 224])
def test_a_long_label_is_shortened_to_fit(room: int) -> None:
    label = "blocks.5.2.conv_pwl:1012@7,9 - 0.5*class:banana"
    shown = shortened(label, SMALL, room)
    assert shown.endswith("…")
    assert label.startswith(shown[:-1])
    assert SMALL.getlength(shown) <= max(room, SMALL.getlength("…"))
    if room >= 40:
        longer = label[: len(shown[:-1].rstrip()) + 2].rstrip() + "…"
        assert SMALL.getlength(longer) > room


def test_a_label_that_fits_is_left_whole() -> None:
    assert shortened("blocks.4.1:12", SMALL, 200) == "blocks.4.1:12"
    assert shortened("", SMALL, 200) == ""
    assert shortened("already…", SMALL, 200) == "already…"


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Ägyptische Straße – 5 × 7", "Agyptische Strasse - 5 x 7"),
        ("two\nlines\tand  more", "two lines and more"),
        ("œuf à Łódź", "oeuf a Lodz"),
    ],
)
def test_letters_the_face_has_not_become_their_plain_neighbours(label: str, shown: str) -> None:
    assert shortened(label, SMALL, 1000) == shown


@pytest.mark.parametrize("label", ["日本語", "кот", "ملاك", "🐈‍⬛", "\ud800", "\0\x01\u202e", "\n", "x" * 100_000, "क्षि" * 40])
def test_no_label_can_break_a_sheet(label: str) -> None:
    pictures = [plain(RED), plain(BLUE)]
    page = contact_sheet(pictures, [label, ""], side=SIDE, title=label)
    left = places(page, BLUE)[1]
    assert places(page, RED)[2:] == (SIDE, SIDE)
    below = page[:, places(page, RED)[0] + SIDE :]
    assert not inked(below)[:, left - 1 :].any()  # it does not reach into its neighbour's


@pytest.mark.parametrize("count", [*range(1, 13), 30, 97, 100, 1000])
def test_a_sheet_is_a_little_wider_than_high_and_its_last_row_well_filled(count: int) -> None:
    page = contact_sheet([None] * count, [""] * count, side=16)
    height, width = page.shape[1:]
    columns = round((width - 2 * 8 + 4) / 20)
    rows = math.ceil(count / columns)
    assert rows * columns - count <= columns / 2
    if count >= 6:
        assert 0.8 < width / height < 2.7


def test_columns_are_no_more_than_there_are_pictures() -> None:
    assert torch.equal(contact_sheet([plain(RED)] * 2, ["a", "b"], columns=10), contact_sheet([plain(RED)] * 2, ["a", "b"], columns=2))


@pytest.mark.parametrize(
    ("pictures", "labels", "choices"),
    [(0, 0, {}), (1001, 1001, {}), (2, 1, {}), (1, 2, {}), (1, 1, {"columns": 0}), (1, 1, {"side": 0})],
)
def test_what_cannot_be_a_sheet_is_a_usage_error(pictures: int, labels: int, choices: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        contact_sheet([None] * pictures, ["x"] * labels, **choices)  # type: ignore[arg-type]


def test_a_strip_is_side_by_side_on_black() -> None:
    page = strip((plain(RED), plain(GREEN, 32, 32), plain(BLUE), plain(PALE)), height=SIDE, gap=8)
    assert page.shape == (3, 2 * SIDE + 8, 3 * SIDE + 2 * 8)
    assert places(page, RED) == (0, 0, SIDE, SIDE)
    assert places(page, GREEN) == (0, SIDE + 8, SIDE, SIDE)
    assert places(page, PALE) == (SIDE + 8, 0, SIDE, SIDE)
    assert page[:, SIDE : SIDE + 8].eq(0).all()


def test_a_table_has_its_pictures_in_rows_and_columns_with_headings_beside_and_above() -> None:
    page = table_sheet(
        [[plain(RED), plain(GREEN)], [plain(BLUE, SIDE // 2), "not made"]], ["edges", "parts"], ["0", "1"], ("level", "seed"), side=SIDE
    )
    (top, left, high, wide), green, blue = (places(page, each) for each in (RED, GREEN, BLUE))
    assert (high, wide) == (SIDE, SIDE) and green[0] == top and green[1] >= left + SIDE and green[2:] == (SIDE, SIDE)
    assert blue[1] == left and blue[2:] == (SIDE // 2, SIDE) and blue[0] >= top + SIDE + SIDE // 4
    ink = inked(page)
    for begin in (top, blue[0]):  # each row is told at its left
        assert ink[begin : begin + SIDE // 2, :left].any()
    for begin in (left, green[1]):  # and each column above
        assert ink[:top, begin : begin + SIDE].any()
    assert ink[blue[0] : blue[0] + SIDE // 2, green[1] : green[1] + SIDE].any()  # the words of the empty place


def test_headings_of_a_table_are_shortened_and_leave_the_pictures_alone() -> None:
    long = "a heading of many words, " * 20
    page = table_sheet([[plain(RED)]], [long], [long], (long, long), side=SIDE, title=long)
    assert places(page, RED)[2:] == (SIDE, SIDE) and page.shape[2] < 4 * SIDE


@pytest.mark.parametrize(("rows", "columns", "told"), [(2, 1, "not 2 rows of 1"), (0, 1, "it holds 1 to 1000"), (40, 26, "of 1040")])
def test_a_table_that_is_none_or_too_large_is_refused(rows: int, columns: int, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        table_sheet([[plain(RED)]], ["a"] * rows, ["b"] * columns, ("x", "y"))
