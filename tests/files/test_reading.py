"""Pictures out of files: formats, orientation, alpha, depth, and colours brought to sRGB."""

from __future__ import annotations

import struct
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.helpers.imagefiles import photo, png, saved
from tests.helpers.known import there

from reverie.errors import InputError, MissingExtra, UnsafeError, UsageError
from reverie.files import at_most_pixels, decode, read
from reverie.files.colour import srgb_profile
from reverie.files.png import chunk
from reverie.pictures import as_picture


def profile(space: bytes, tags: dict[bytes, bytes], link: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """An ICC profile of version 2, assembled by hand."""
    tags = {b"desc": b"desc\0\0\0\0\0\0\0\x05test\0" + bytes(78), b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz(0.9642, 1, 0.8249), **tags}
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", place + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s12s4s", place + len(body), bytes(4), 0x02200000, kind, space, link, bytes(12), b"acsp")
    head = (head + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)).ljust(128, b"\0")
    return head + struct.pack(">I", len(tags)) + table + body


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(each * 65536) for each in values))


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256)) + b"\0\0"


def rgb_profile(red: tuple[float, ...], green: tuple[float, ...], blue: tuple[float, ...]) -> bytes:
    curves = {name: gamma(2.2) for name in (b"rTRC", b"gTRC", b"bTRC")}
    return profile(b"RGB ", {b"rXYZ": xyz(*red), b"gXYZ": xyz(*green), b"bXYZ": xyz(*blue), **curves})


P3 = rgb_profile((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841))
ADOBE = rgb_profile((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
GREY_LINEAR = profile(b"GRAY", {b"kTRC": gamma(1.0)})


def cmyk_profile() -> bytes:
    """Inks of which each halves the light and cyan is red: so that a converted picture cannot be mistaken for a plain one."""
    clut = b""
    for node in range(16):  # cyan is the slowest
        inks = node.bit_count()
        clut += bytes([255 >> inks, 200 if node & 8 else 128, 128])  # L*, a*, b*
    straight = bytes(range(256))
    table = b"mft1\0\0\0\0\x04\x03\x02\0" + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536) + straight * 4 + clut + straight * 3
    return profile(b"CMYK", {b"A2B0": table}, link=b"Lab ", kind=b"prtr")


# ── formats ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0), ("TIFF", {}, 0), ("TIFF", {"compression": "tiff_lzw"}, 0), ("BMP", {}, 0), ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 6), ("JPEG", {"quality": 95, "progressive": True}, 10),
        ("AVIF", {"quality": 95}, 10), ("GIF", {}, 40),
    ],
)  # fmt: skip
def test_every_format_is_read_by_its_content(tmp_path: Path, kind: str, options: dict[str, object], tolerance: int) -> None:
    path = tmp_path / "wrong.txt"
    path.write_bytes(saved(photo(), kind, **options))
    seen = read(path)
    assert seen.rgb.shape == (24, 32, 3) and seen.rgb.dtype == np.uint8 and seen.alpha is None
    assert np.abs(seen.rgb.astype(int) - photo()).max() <= tolerance
    assert seen.content == path.read_bytes() and len(seen.sha256) == 64
    seen.rgb[0, 0] = 1  # writable


def test_heic(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    out = BytesIO()
    heif.from_pillow(Image.fromarray(photo(64, 96))).save(out, quality=-1)
    seen = decode(out.getvalue(), "a.heic")
    assert seen.rgb.shape == (64, 96, 3)
    assert np.abs(seen.rgb.astype(int) - photo(64, 96)).mean() < 2
    with pytest.raises(UnsafeError, match="max_pixels="), at_most_pixels(64 * 96 - 1):
        decode(out.getvalue(), "a.heic")
    with pytest.raises(InputError):
        decode(out.getvalue()[:200], "a.heic")


def test_heic_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingExtra, match="pip install pillow-heif") as caught:
        decode(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(100), "a.heic")
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_of_an_animation_the_first_frame(kind: str) -> None:
    first, second = (Image.new("RGB", (20, 20), colour) for colour in ("red", "blue"))
    seen = decode(saved(first, kind, save_all=True, append_images=[second], duration=100), "a")
    assert np.abs(seen.rgb.astype(int) - (255, 0, 0)).max() <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation(kind: str, orientation: int) -> None:
    """A file holds the picture turned away; reading turns it back."""
    upright, stored = photo(), Image.fromarray(photo())
    away = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}
    if orientation > 1:
        stored = stored.transpose(Image.Transpose[away[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    known: dict[str, dict[str, Any]] = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}
    options = known.get(kind, {})
    if kind != "WEBP":
        options["dpi"] = (100, 200)
    stored.putalpha(stored.getchannel(2)) if kind == "PNG" else None
    seen = decode(saved(stored, kind, exif=exif, **options), "a")
    assert seen.rgb.shape == upright.shape
    assert np.abs(seen.rgb.astype(int) - upright).max() <= (3 if kind == "JPEG" else 0)
    if kind == "PNG":
        assert np.array_equal(there(seen.alpha), upright[..., 2])
    if kind != "WEBP":
        assert seen.dpi is not None
        assert np.round(seen.dpi).tolist() == ([100, 200] if orientation < 5 else [200, 100])
    assert seen.rgb.flags.c_contiguous


# ── alpha ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alpha_of_rgba_and_grey_with_alpha() -> None:
    ramp = np.arange(0, 256, 8, dtype=np.uint8)[None].repeat(24, 0)  # (24, 32)
    seen = decode(saved(np.dstack([photo(), ramp]), "PNG"), "a")
    assert np.array_equal(seen.rgb, photo()) and np.array_equal(there(seen.alpha), ramp)
    seen = decode(saved(Image.merge("LA", [Image.fromarray(photo()[..., 0]), Image.fromarray(ramp)]), "PNG"), "a")
    assert np.array_equal(seen.rgb, photo()[..., :1].repeat(3, -1)) and np.array_equal(there(seen.alpha), ramp)


def test_alpha_of_a_palette() -> None:
    image = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    seen = decode(saved(image, "PNG", transparency=bytes([0, 128, 255])), "a")
    assert seen.rgb.tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]
    assert seen.alpha is not None and seen.alpha.tolist() == [[0, 128, 255]]
    seen = decode(saved(image, "GIF", transparency=1), "a")
    assert seen.alpha is not None and seen.alpha.tolist() == [[255, 0, 255]]
    assert decode(saved(image, "PNG"), "a").alpha is None


@pytest.mark.parametrize(
    ("content", "alpha"),
    [
        (png(2, 1, 8, 0, b"\0\x07\x08", chunk(b"tRNS", b"\0\x07")), [[0, 255]]),
        (png(2, 1, 4, 0, b"\0\x7f", chunk(b"tRNS", b"\0\x07")), [[0, 255]]),
        (png(2, 1, 2, 0, b"\0\x60", chunk(b"tRNS", b"\0\x01")), [[0, 255]]),
        (png(2, 1, 1, 0, b"\0\x40", chunk(b"tRNS", b"\0\x01")), [[255, 0]]),
        (png(2, 1, 16, 0, b"\0\x01\x02\x01\x03", chunk(b"tRNS", b"\x01\x03")), [[65535, 0]]),
        (png(2, 1, 8, 2, b"\0\x01\x02\x03\x01\x02\x04", chunk(b"tRNS", b"\0\x01\0\x02\0\x04")), [[255, 0]]),
        (png(2, 1, 16, 2, b"\0" + b"\x10\0" * 3 + b"\x20\0" * 3, chunk(b"tRNS", b"\x20\0" * 3)), [[255, 0]]),
    ],
    ids=["grey 8", "grey 4", "grey 2", "grey 1", "grey 16", "rgb 8", "rgb 16"],
)
def test_a_colour_that_means_transparent(content: bytes, alpha: list[list[int]]) -> None:
    seen = decode(content, "a")
    assert seen.alpha is not None and seen.alpha.tolist() == alpha
    assert seen.alpha.dtype == seen.rgb.dtype


# ── depth, modes, colour ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_of_16_bits_keeps_them(kind: str) -> None:
    grey = (np.arange(24 * 32, dtype=np.uint16) * 83).reshape(24, 32)
    seen = decode(saved(Image.fromarray(grey), kind), "a")
    assert seen.rgb.dtype == np.uint16
    assert np.array_equal(seen.rgb, grey[..., None].repeat(3, -1))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 0.5, 1]], np.float32), [0, 32768, 65535]),
        (np.array([[0, 51, 255]], np.float32), [0, 13107, 65535]),
        (np.array([[-1, 0, 3]], np.float32), [0, 16384, 65535]),
        (np.array([[np.nan, np.inf, 1]], np.float32), [0, 0, 65535]),
        (np.array([[0, 300, 65535]], np.int32), [0, 300, 65535]),
        (np.array([[0, 1 << 20, 1 << 21]], np.int32), [0, 32768, 65535]),
    ],
)
def test_numbers_of_unknown_range(values: np.ndarray, expected: list[int]) -> None:
    seen = decode(saved(Image.fromarray(values), "TIFF"), "a")
    assert seen.rgb.dtype == np.uint16 and seen.rgb[0, :, 1].tolist() == expected


def test_one_bit_cmyk_lab_and_ycbcr() -> None:
    assert decode(saved(Image.frombytes("1", (2, 1), b"\x40"), "PNG"), "a").rgb.tolist() == [[[0] * 3, [255] * 3]]
    assert decode(saved(Image.new("CMYK", (1, 1), (255, 0, 0, 0)), "TIFF"), "a").rgb.tolist() == [[[0, 255, 255]]]
    jpeg = decode(saved(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG"), "a").rgb
    assert np.abs(jpeg.astype(int) - (0, 255, 255)).max() <= 4
    lab = decode(saved(Image.new("LAB", (1, 1), (136, 209, 198)), "TIFF"), "a").rgb[0, 0].astype(int)
    assert lab[0] > 240 and lab[1] < 30 and lab[2] < 60  # L* 53, a* 81, b* 70 is nearly pure red
    ycc = decode(saved(Image.fromarray(photo()).convert("YCbCr"), "TIFF"), "a").rgb
    assert np.abs(ycc.astype(int) - photo()).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_wide_colours_become_stronger_in_srgb(kind: str) -> None:
    orange = np.full((16, 16, 3), (180, 120, 80), np.uint8)
    plain = decode(saved(orange, kind), "a").rgb[8, 8].astype(int)
    p3 = decode(saved(orange, kind, icc_profile=P3), "a").rgb[8, 8].astype(int)
    assert p3[0] > plain[0] + 4 and p3[2] < plain[2] - 3
    green = np.full((16, 16, 3), (100, 160, 100), np.uint8)
    adobe = decode(saved(green, kind, icc_profile=ADOBE), "a").rgb[8, 8].astype(int)
    assert adobe[0] < 80 and abs(adobe[1] - 160) < 5


def test_grey_under_p3_stays_grey_and_a_palette_is_converted() -> None:
    grey = decode(saved(np.full((4, 4, 3), 128, np.uint8), "PNG", icc_profile=P3), "a").rgb[0, 0].astype(int)
    assert np.ptp(grey) <= 1
    image = Image.fromarray(np.full((4, 4, 3), (180, 120, 80), np.uint8)).quantize(4)
    assert decode(saved(image, "PNG", icc_profile=P3), "a").rgb[0, 0, 0] > 184


def test_grey_profiles_at_8_and_16_bits() -> None:
    eight = decode(saved(np.full((2, 2), 64, np.uint8), "PNG", icc_profile=GREY_LINEAR), "a").rgb
    assert abs(int(eight[0, 0, 0]) - 137) <= 1 and np.ptp(eight) == 0  # a quarter of the light
    deep = decode(saved(Image.fromarray(np.full((2, 2), 64 * 257 + 40, np.uint16)), "PNG", icc_profile=GREY_LINEAR), "a").rgb
    assert deep.dtype == np.uint16 and abs(int(deep[0, 0, 0]) / 257 - 137) <= 1 and deep[0, 0, 0] % 257 != 0


def test_a_cmyk_profile_is_used() -> None:
    found = decode(saved(Image.new("CMYK", (4, 4), (255, 0, 0, 0)), "TIFF", icc_profile=cmyk_profile()), "a")
    seen = found.rgb[0, 0].astype(int)
    assert seen[0] > seen[1] + 50 and found.notes == ()  # plain cyan has no red at all


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_inks_that_nobody_describes_are_told(kind: str) -> None:
    (note,) = decode(saved(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), kind), "a").notes
    assert "inks (CMYK)" in note


def test_colours_of_16_bits_that_are_read_at_8_are_told() -> None:
    for colour, samples in ((2, 3), (6, 4)):
        assert decode(png(1, 1, 16, colour, b"\0" + b"\x80\1" * samples), "a").notes == ("its colours have 16 bits, of which 8 were read",)
    assert decode(png(1, 1, 16, 0, b"\0\x80\1"), "a").notes == () == decode(png(1, 1, 8, 2, b"\0" + b"\x80" * 3), "a").notes


def test_a_profile_that_is_srgb_to_within_a_level_changes_nothing() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    levels = np.arange(16) / 15
    curve = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    table = b"curv\0\0\0\0" + struct.pack(">I", 16) + (curve * 65535).round().astype(">u2").tobytes()
    columns = {b"rXYZ": xyz(0.4361, 0.2225, 0.0139), b"gXYZ": xyz(0.3851, 0.7169, 0.0971), b"bXYZ": xyz(0.1431, 0.0606, 0.7141)}
    another = profile(b"RGB ", {**columns, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), table)})
    rounded = ImageCms.profileToProfile(Image.fromarray(noise), ImageCms.ImageCmsProfile(BytesIO(another)), ImageCms.createProfile("sRGB"))
    assert 0 < np.abs(np.asarray(rounded).astype(int) - noise).max() <= 1  # what would happen to the pixels
    for tagged in (srgb_profile(), another):
        assert np.array_equal(decode(saved(noise, "PNG", icc_profile=tagged), "a").rgb, noise)


@pytest.mark.parametrize("broken", [b"x", P3[:200], P3[:128] + b"\xff" * 40, cmyk_profile(), GREY_LINEAR], ids=range(5))
def test_a_profile_that_is_broken_or_of_another_kind_is_ignored(broken: bytes) -> None:
    assert np.array_equal(decode(saved(photo(), "PNG", icc_profile=broken), "a").rgb, photo())


@pytest.mark.parametrize("mode", ["F", "I", "I;16B"])
def test_an_image_that_does_not_say_what_white_is(mode: str) -> None:
    with pytest.raises(UsageError, match=f"mode {mode} does not say what white is.*tensor"):
        as_picture(Image.new(mode, (8, 8)))
