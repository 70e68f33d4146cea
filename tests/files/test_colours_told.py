"""Colours told by numbers instead of a profile become sRGB; light for HDR screens that of ordinary ones, and it is said."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.helpers.clips import off
from tests.helpers.imagefiles import TO_P3, hdr_of, light_of, photo, plain_png, pq, saved

from reverie.files import Decoded, as_chunks, decode
from reverie.files.colour_coding import Coding, coded
from reverie.files.heif_boxes import coding_of
from reverie.files.png import chunk
from reverie.pictures import as_picture

SCENE = photo(64, 96)
GREY = SCENE[..., 1]
LINEAR = chunk(b"gAMA", (100_000).to_bytes(4, "big"))
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def cicp(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, matrix, full]))


def deep(signal: np.ndarray) -> np.ndarray:
    return (signal.clip(0, 1) * 65535).round().astype(np.uint16)


def shallow(signal: np.ndarray) -> np.ndarray:
    return (signal.clip(0, 1) * 255).round().astype(np.uint8)


def srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light.clip(0) ** (1 / 2.4) - 0.055)


def seen(content: bytes) -> np.ndarray:
    """As read, in levels of 8 bits."""
    return levels_of(decode(content, "a"))


def levels_of(found: Decoded) -> np.ndarray:
    return found.rgb if found.rgb.dtype == np.uint8 else (found.rgb / 257).round().astype(np.uint8)


P3 = srgb(light_of(SCENE) @ TO_P3.T)


# ── PNG ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "expected", "most"),
    [
        (plain_png(deep(light_of(SCENE)), LINEAR), SCENE, 0.01),
        (plain_png(shallow(light_of(SCENE)), LINEAR), SCENE, 1.0),
        (plain_png(deep(light_of(GREY)), LINEAR), GREY[..., None], 0.01),
        (plain_png(np.dstack([deep(light_of(GREY)), deep(GREY / 255)]), LINEAR), GREY[..., None], 0.01),
        (plain_png(np.dstack([deep(light_of(SCENE)), deep(GREY / 255)]), LINEAR), SCENE, 0.01),
        (plain_png(SCENE, chunk(b"gAMA", (45_455).to_bytes(4, "big"))), SCENE, 0),
        (plain_png(SCENE, chunk(b"gAMA", (0).to_bytes(4, "big"))), SCENE, 0),
        (plain_png(SCENE, chunk(b"gAMA", b"\1")), SCENE, 0),
        (plain_png(shallow(P3), cicp(12, 13)), SCENE, 1.0),
        (plain_png(deep(P3), cicp(12, 13)), SCENE, 0.5),
        (plain_png((SCENE * (219 / 255) + 16).round().astype(np.uint8), cicp(1, 1, 0, 0)), SCENE, 0.5),
    ],
    ids=[
        "16 bits", "8 bits", "grey 16", "grey and alpha 16", "alpha 16", "as sRGB writes it", "of nothing", "cut short", "P3",
        "P3 16", "narrow",
    ],
)  # fmt: skip
def test_png_tells_its_colours_by_numbers(content: bytes, expected: np.ndarray, most: float) -> None:
    assert off(seen(content), expected) <= most
    if "alpha" in repr(decode(content, "a")):
        alpha = decode(content, "a").alpha
        assert alpha is not None and np.array_equal(alpha, deep(GREY / 255))


def test_a_palette_is_converted_and_a_clear_colour_stays_clear() -> None:
    image = Image.fromarray(SCENE).quantize(64)
    expected = np.asarray(image.convert("RGB"))
    colours = np.asarray(image.getpalette()).reshape(-1, 3)
    image.putpalette(shallow(light_of(colours)).tobytes())
    whole = saved(image, "PNG")
    assert off(seen(whole[:33] + LINEAR + whole[33:]), expected) < 1.5
    key = deep(light_of(SCENE))[3, 5]
    found = decode(plain_png(deep(light_of(SCENE)), LINEAR, chunk(b"tRNS", struct.pack(">3H", *key.tolist()))), "a")
    assert found.alpha is not None and found.alpha[3, 5] == 0 and found.alpha[40, 50] == 65535


def test_chromaticities_mean_what_a_profile_with_them_means() -> None:
    """Adobe RGB: by gAMA and cHRM, and by the primaries of its definition worked out here."""
    adobe = np.array([[0.71513, 0.28487, 0], [0, 1, 0], [0, 0.04117, 0.95883]])  # sRGB's light in it, both of D65
    levels = shallow((light_of(SCENE) @ adobe.T).clip(0) ** (256 / 563))
    points = (31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000)
    told = chunk(b"gAMA", (45_471).to_bytes(4, "big")), chunk(b"cHRM", struct.pack(">8I", *points))
    assert off(seen(plain_png(levels, *told)), SCENE) < 2.5 < off(levels, SCENE)  # its curve is taken for sRGB's
    odd = chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, *[30_000] * 6))
    assert np.array_equal(seen(plain_png(SCENE, odd)), SCENE)  # primaries that are one point


@pytest.mark.parametrize(
    ("told", "linear"),
    [
        ([chunk(b"sRGB", b"\0"), LINEAR], False),
        ([LINEAR, chunk(b"sRGB", b"\0")], False),
        ([cicp(1, 8), chunk(b"sRGB", b"\0")], True),
        ([cicp(1, 13), LINEAR], False),
        ([chunk(b"iCCP", b"a\0\0" + zlib.compress(PROFILE)), LINEAR], False),
        ([cicp(1, 8), chunk(b"iCCP", b"a\0\0" + zlib.compress(PROFILE))], True),
        ([cicp(1, 8, 1), chunk(b"sRGB", b"\0")], False),  # no matrix is allowed
        ([cicp(77, 8), LINEAR], True),
        ([cicp(2, 99)], False),
        ([LINEAR[:-1] + b"!"], False),  # a checksum that is wrong
    ],
)
def test_what_takes_precedence(told: list[bytes], linear: bool) -> None:
    expected = SCENE if linear else shallow(light_of(SCENE))
    assert off(seen(plain_png(deep(light_of(SCENE)), *told)), expected) < 1


# ── HDR ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kind", "transfer"), [("PQ", 16), ("HLG", 18)])
@pytest.mark.parametrize("bits", [8, 16])
def test_hdr_without_highlights_is_the_scene_and_is_said(kind: str, transfer: int, bits: int) -> None:
    signal = hdr_of(SCENE, kind)
    found = decode(plain_png(deep(signal) if bits == 16 else shallow(signal), cicp(9, transfer)), "a")
    assert off(levels_of(found), SCENE) < (0.3 if bits == 16 else 2.5)
    assert len(found.notes) == 1 and kind in found.notes[0]


def test_highlights_are_rolled_off_softly_and_mid_tones_stay() -> None:
    nits = np.linspace(0, 1000, 400)
    ramp = np.repeat(pq(nits)[None, :, None], 3, -1)
    levels = seen(plain_png(deep(ramp), cicp(9, 16)))[0, :, 0].astype(int)
    plain = srgb(nits / 203) * 255
    mid = nits < 0.7 * 203
    assert np.abs(levels - plain)[mid].max() <= 1
    assert (np.diff(levels) >= 0).all() and np.diff(levels).max() <= np.diff(plain).max() + 1  # no corner, no step
    assert 232 <= levels[np.searchsorted(nits, 203)] <= 250 and levels[-1] == 255
    assert np.unique(levels[nits > 203]).size >= 8  # the sun is not a flat spot


def test_hue_stays_where_light_is_rolled_off() -> None:
    orange = np.array([4.0, 2.0, 0.4]) * np.ones((8, 8, 1))
    signal = pq(orange @ np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]).T * 203)
    red, green, blue = seen(plain_png(deep(signal), cicp(9, 16)))[4, 4].astype(int)
    assert red > 240 and 150 < green < 215 and blue < 130


def test_a_profile_that_also_tells_hdr() -> None:
    profile = bytearray(PROFILE)
    count = int.from_bytes(profile[128:132], "big")
    at = 132 + 12 * count
    profile[at:at] = b"cicp" + (len(profile) + 12).to_bytes(4, "big") + (12).to_bytes(4, "big")
    profile += b"cicp\0\0\0\0" + bytes([9, 16, 0, 1])
    profile[128:132] = (count + 1).to_bytes(4, "big")
    told = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(profile)))
    assert off(seen(plain_png(deep(hdr_of(SCENE, "PQ")), told)), SCENE) < 0.3


@pytest.mark.parametrize(("kind", "transfer"), [("PQ", 16), ("HLG", 18)])
def test_hdr_of_heic(kind: str, transfer: int) -> None:
    heif = pytest.importorskip("pillow_heif")
    out = BytesIO()
    image = heif.from_bytes("RGB;16", (96, 64), deep(hdr_of(SCENE, kind)).tobytes())
    image.save(out, quality=-1, chroma=444, color_primaries=9, transfer_characteristics=transfer, matrix_coefficients=9, full_range_flag=1)
    found = decode(out.getvalue(), "a")
    assert found.rgb.dtype == np.uint16 and off(levels_of(found), SCENE) < 2 and kind in found.notes[0]


def test_p3_of_heic_and_of_avif() -> None:
    heif = pytest.importorskip("pillow_heif")
    out = BytesIO()
    image = heif.from_bytes("RGB", (96, 64), shallow(P3).tobytes())
    image.save(out, quality=-1, chroma=444, color_primaries=12, transfer_characteristics=13, matrix_coefficients=0, full_range_flag=1)
    assert off(seen(out.getvalue()), SCENE) < 1.5 < off(shallow(P3), SCENE)
    plain = saved(shallow(P3), "AVIF", quality=100, subsampling="4:4:4")
    assert plain.count(b"nclx\0\1\0\x0d") == 1
    assert off(seen(plain.replace(b"nclx\0\1\0\x0d", b"nclx\0\x0c\0\x0d")), SCENE) < 1.5
    hdr = saved(shallow(hdr_of(SCENE, "PQ")), "AVIF", quality=100, subsampling="4:4:4")
    found = decode(hdr.replace(b"nclx\0\1\0\x0d", b"nclx\0\x09\0\x10"), "a")
    assert off(found.rgb, SCENE) < 4 and "PQ" in found.notes[0]


def test_boxes_that_are_cut_or_lie_are_ignored() -> None:
    whole = saved(photo(), "AVIF").replace(b"nclx\0\1\0\x0d", b"nclx\0\x0c\0\x0d")
    assert coding_of(whole) == coded(12, 13)
    for end in range(0, len(whole), 3):
        coding_of(whole[:end])
    for at in range(min(len(whole), 400)):
        coding_of(whole[:at] + b"\xff\xff" + whole[at + 2 :])


# ── cameras, and images of Pillow's ──────────────────────────────────────────────────────────────────────────────────────


def test_a_camera_set_to_adobe_rgb() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0"
    exif += struct.pack("<HHHII", 1, 0x8769, 4, 1, 26) + bytes(4)
    exif += struct.pack("<HHHIIHHII", 2, 0xA001, 3, 1, 0xFFFF, 0xA005, 4, 1, 56) + bytes(4)
    exif += struct.pack("<HHHI", 1, 1, 2, 4) + b"R03\0" + bytes(4)
    adobe = np.array([[0.71513, 0.28487, 0], [0, 1, 0], [0, 0.04117, 0.95883]])
    levels = shallow((light_of(SCENE) @ adobe.T).clip(0) ** (256 / 563))
    content = saved(levels, "JPEG", quality=100, subsampling=0, exif=exif)
    assert off(seen(content), SCENE) < 2 < off(levels, SCENE)
    assert off(seen(content.replace(b"R03\0", b"R98\0")), levels) < 1


def test_an_image_of_pillow_takes_its_gamma_along() -> None:
    image = Image.open(BytesIO(plain_png(shallow(light_of(SCENE)), LINEAR)))
    pixels = as_picture(image).pixels
    assert off(pixels.permute(1, 2, 0).numpy() * 255, SCENE) < 1.5
    assert as_chunks(Image.fromarray(SCENE)).chunks == []


def test_what_is_srgb_is_left_alone() -> None:
    assert all(coded(primaries, transfer) == Coding() for primaries in (1, 2) for transfer in (1, 2, 6, 13, 14, 15))
    assert Coding().is_srgb and not Coding(narrow=True).is_srgb and coded(1, 99) is None and coded(99, 1) is None
