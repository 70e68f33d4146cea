"""Grey TIFFs of every depth, sign and photometry; TIFFs of several pictures, and cameras' raw files."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from tests.helpers.imagefiles import photo, plain_png, tiff, tiff_tags

from reverie.errors import InputError, ReverieError
from reverie.files import decode

Order = Literal["<", ">"]
SCENE = photo(32, 48)
GREY = SCENE[..., 0].astype(int)
GREY = GREY * 255 // GREY.max()  # up to white
SMALL = SCENE[::2, ::2]


def seen(content: bytes) -> np.ndarray:
    """Its grey, 0..1."""
    rgb = decode(content, "a").rgb
    return rgb[..., 0] / (65535 if rgb.dtype == np.uint16 else 255)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize(
    ("levels", "form"),
    [(GREY.astype("u1"), 1), ((GREY * 257).astype("u2"), 1), ((GREY / 255).astype("f4"), 3), ((GREY * 128 + 127).astype("i2"), 2)],
    ids=["8", "16", "float", "signed"],
)
def test_both_photometries_at_every_depth(levels: np.ndarray, form: int, white_is_zero: bool, order: Order) -> None:
    if white_is_zero:
        levels = (levels.max() - levels).astype(levels.dtype)
    content = tiff((tiff_tags(levels, 0 if white_is_zero else 1, form=form), levels), order=order)
    assert np.abs(seen(content) - GREY / 255).max() < 0.006 and decode(content, "a").notes == ()


@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize("bits", [1, 4])
def test_few_bits(bits: int, white_is_zero: bool) -> None:
    values = GREY * (2**bits - 1) // 255
    shown = values / (2**bits - 1)
    values = 2**bits - 1 - values if white_is_zero else values
    packed = sum(values[:, at :: 8 // bits] << 8 - bits * (at + 1) for at in range(8 // bits)).astype("u1")
    content = tiff((tiff_tags(packed, 0 if white_is_zero else 1, bits=bits), packed))
    assert np.abs(seen(content) - shown).max() < 0.01


@pytest.mark.parametrize("white_is_zero", [False, True])
def test_32_bits_without_a_sign(white_is_zero: bool) -> None:
    levels = (GREY * 16_843_009).astype("u4")
    levels = (2**32 - 1 - levels if white_is_zero else levels).astype("u4")
    assert np.abs(seen(tiff((tiff_tags(levels, 0 if white_is_zero else 1), levels))) - GREY / 255).max() < 0.001


def test_numbers_that_do_not_say_what_white_is_are_scaled_and_it_is_said() -> None:
    for levels, form, black, word in (
        ((GREY - 128) * 100, 2, 0.0, "from -12,800 to 12,700"),
        (GREY / 255 * 7, 3, 0.0, "7 for white"),
        (GREY / 255 * 90 + 1000, 3, 0.0, "from 1,000 to 1,090"),
        (GREY * 16, 1, 0.0, "12 bits"),
        (GREY * 4, 1, 0.0, "10 bits"),
    ):
        array = levels.astype({1: "u2", 2: "i2", 3: "f4"}[form])
        content = tiff((tiff_tags(array, 1, form=form), array))
        assert np.abs(seen(content) - GREY / 255).max() < 0.005 + black
        (note,) = decode(content, "a").notes
        assert word in note


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [10, 12])
def test_colours_of_fewer_bits(bits: int, order: Order) -> None:
    levels = SCENE.astype("u2") * (2**bits // 256)
    for content in (tiff((tiff_tags(levels, 2), levels), order=order), plain_png(levels)):
        found = decode(content, "a")
        assert np.abs(found.rgb.astype(int) - SCENE).max() <= 1 and f"{bits} bits" in found.notes[0]
    dark = decode(tiff((tiff_tags(levels // 64, 2), levels // 64), order=order), "a")
    assert dark.rgb.max() <= 1 and dark.notes == ("its colours have 16 bits, of which 8 were read",)


def test_a_dark_picture_of_16_bits_stays_dark() -> None:
    for most in (0, 40, 200, 5000):
        levels = (GREY / 255 * most).astype("u2")
        assert np.abs(seen(tiff((tiff_tags(levels, 1), levels))) - levels / 65535).max() < 1e-6


@pytest.mark.parametrize(("kind", "form"), [("f2", 3), ("f8", 3), ("f4", 3)])
def test_floats_that_cannot_be_read_are_named(kind: str, form: int) -> None:
    levels = (SCENE / 255 if kind == "f4" else GREY / 255).astype(kind)
    with pytest.raises(InputError, match=f"a TIFF of floats of {np.dtype(kind).itemsize * 8} bits"):
        decode(tiff((tiff_tags(levels, 2 if levels.ndim == 3 else 1, form=form), levels)), "a")


# ── several pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_picture_and_not_its_preview(order: Order) -> None:
    preview, whole = tiff_tags(SMALL, 2, subfile=1), (tiff_tags(SCENE, 2, subfile=0), SCENE)
    for content in (
        tiff((preview, SMALL, [whole]), order=order),
        tiff((preview, SMALL), whole, order=order),
        tiff(whole, (preview, SMALL), order=order),
    ):
        found = decode(content, "a")
        assert np.array_equal(found.rgb, SCENE) and found.content == content and found.notes == ()
    assert decode(tiff((preview, SMALL)), "a").rgb.shape == SMALL.shape  # there is nothing else


@pytest.mark.parametrize("photometric", [32803, 34892])
def test_a_raw_file_is_named(photometric: int) -> None:
    raw = (GREY * 16).astype("u2")
    sensor = tiff_tags(raw, photometric, subfile=0), raw
    for content in (
        tiff((tiff_tags(SMALL, 2, subfile=1), SMALL, [sensor])),
        tiff((tiff_tags(SMALL, 2, subfile=1), SMALL, [(tiff_tags(SMALL, 2, subfile=1), SMALL), sensor])),
        tiff((tiff_tags(SMALL, 2, subfile=1), SMALL), sensor),
    ):
        with pytest.raises(InputError, match="raw file, of which only the 24×16 preview") as caught:
            decode(content, "a")
        assert "develop" in caught.value.remedy


def test_pages_are_said() -> None:
    page = tiff_tags(SCENE, 2), SCENE
    assert decode(tiff(page, page, page), "a").notes == ("it has 3 pages; the first was taken",)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_directories_that_go_round_or_lead_nowhere_end() -> None:
    whole = tiff((tiff_tags(SMALL, 2, subfile=1), SMALL, [(tiff_tags(SCENE, 2, subfile=0), SCENE)]))
    for at in range(4, len(whole)):
        if whole[at : at + 4] != bytes(4) or at > len(whole) - 400:
            broken = bytearray(whole)
            broken[at : at + 4] = (8).to_bytes(4, "little")
            try:
                decode(bytes(broken), "a")
            except ReverieError:
                continue
