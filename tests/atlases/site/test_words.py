"""Figures of an atlas in words and drawings, against answers worked out by hand."""

from __future__ import annotations

import pytest

from reverie.atlases.site.map_page import regions
from reverie.atlases.site.words import box, figure, histogram, quantile, share, where


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (1230.4, "1,230"), (63.3344, "63.3"), (4.5, "4.50"), (-0.01234, "−0.0123"), (9.999, "10.00"), (float("nan"), "–")],
)
def test_a_figure_has_three_digits_that_count(number: float, words: str) -> None:
    assert figure(number) == words


@pytest.mark.parametrize(
    ("part", "words"),
    [(1.0, "the whole"), (0.5, "about half"), (0.24, "about a quarter"), (0.049, "about a twentieth"), (0.01, "less than a thirtieth")],
)
def test_a_share_of_a_side(part: float, words: str) -> None:
    assert share(part) == words


def test_what_a_unit_looked_at_is_cut_at_the_edges_of_the_picture() -> None:
    # the map is 4 by 8 places: the middle of row 0, column 6 lies at 1/8 down and 6.5/8 across
    assert box(0, 6, 4, 8, 0.5) == [56.25, 0, 43.75, 37.5]
    assert box(2, 4, 5, 9, 0.2) == [40, 40, 20, 20]
    assert box(0, 0, 4, 4, 0.95) is None and box(0, 0, 4, 4, None) is None


def test_a_place_in_words() -> None:
    assert [where(row, column, 3, 3) for row, column in ((0, 0), (1, 1), (1, 2), (2, 1))] == [
        "at the top left", "in the middle", "at the right", "at the bottom",
    ]  # fmt: skip


def test_a_histogram_tells_its_quantiles_and_draws_what_is_there() -> None:
    bars = [[0, 1, 4], [1, 2, 0], [2, 3, 4], [3, 4, 1]]
    assert quantile(bars, 0.5) == pytest.approx(2 + 0.5 / 4)  # 4.5 of 9: half an answer into the third bar, which holds 4
    assert quantile(bars, 1.0) == 4
    drawn = histogram(bars, 1.7)
    assert drawn is not None
    assert drawn["path"].count("M") == 3 and "v-100.0" in drawn["path"] and "v-50.0" in drawn["path"]  # 1 of 4: the root is a half
    assert drawn["words"].startswith("Of 9 pictures half answer below 2.12,") and drawn["mean"] == 170
    assert histogram([[0, 1, 0]], 0) is None


def test_regions_of_a_map_are_cells_side_by_side_with_one_label() -> None:
    rows = ["AAB", "A.B", "BBA"]
    cells = [
        {"column": column, "row": row, "label": None if letter == "." else ["AB".index(letter), 0.5]}
        for row, line in enumerate(rows)
        for column, letter in enumerate(line)
    ]
    found = [(each["index"], each["cells"]) for each in regions(cells)]
    assert found == [(0, 3), (1, 2), (1, 2), (0, 1)]
    assert (regions(cells)[0]["column"], regions(cells)[0]["row"]) == (0, 0)  # the middle of its three is nearest to the corner
    assert len(regions(cells, most=2)) == 2
