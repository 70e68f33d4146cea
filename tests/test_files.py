"""Pictures in and out of files, hostile ones too, and the recipes inside them."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from reverie.errors import InputError, MissingExtra, ReverieError, UnsafeError, UsageError
from reverie.files import MAX_RECIPE, READABLE, SUFFIXES, decode, encode, read, recipe_text
from reverie.files.colour import srgb_profile
from reverie.files.png import SIGNATURE, chunk

RECIPE = '{"target": "blocks.4.1", "words": "naïve <b> & \\"quoted\\"\\r\\n 夢 🐕 ]]> tiff:Orientation=\\"6\\""}'


def photo(height: int = 24, width: int = 32) -> np.ndarray:
    """Smooth, and unlike its mirror images."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 / width, y * 255 / height, (x + 2 * y) * 255 / (width + 2 * height)], -1).astype(np.uint8)  # (H, W, 3)


ALPHA = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32).astype(np.uint8)


def saved(image: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    out = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, kind, **options)
    return out.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return SIGNATURE + header + b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


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
    with pytest.raises(UnsafeError, match="--max-pixels"):
        decode(out.getvalue(), "a.heic", max_pixels=64 * 96 - 1)
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
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    if kind != "WEBP":
        options["dpi"] = (100, 200)
    stored.putalpha(stored.getchannel(2)) if kind == "PNG" else None
    seen = decode(saved(stored, kind, exif=exif, **options), "a")
    assert seen.rgb.shape == upright.shape
    assert np.abs(seen.rgb.astype(int) - upright).max() <= (3 if kind == "JPEG" else 0)
    if kind == "PNG":
        assert np.array_equal(seen.alpha, upright[..., 2])
    if kind != "WEBP":
        assert seen.dpi is not None
        assert np.round(seen.dpi).tolist() == ([100, 200] if orientation < 5 else [200, 100])
    assert seen.rgb.flags.c_contiguous


# ── alpha ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_alpha_of_rgba_and_grey_with_alpha() -> None:
    ramp = np.arange(0, 256, 8, dtype=np.uint8)[None].repeat(24, 0)  # (24, 32)
    seen = decode(saved(np.dstack([photo(), ramp]), "PNG"), "a")
    assert np.array_equal(seen.rgb, photo()) and np.array_equal(seen.alpha, ramp)
    seen = decode(saved(Image.merge("LA", [Image.fromarray(photo()[..., 0]), Image.fromarray(ramp)]), "PNG"), "a")
    assert np.array_equal(seen.rgb, photo()[..., :1].repeat(3, -1)) and np.array_equal(seen.alpha, ramp)


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
    seen = decode(saved(Image.new("CMYK", (4, 4), (255, 0, 0, 0)), "TIFF", icc_profile=cmyk_profile()), "a").rgb[0, 0].astype(int)
    assert seen[0] > seen[1] + 50  # plain cyan has no red at all


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


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────────────────────


def refused(error: type[ReverieError], content: bytes | Path, **options: int) -> str:
    with pytest.raises(error) as caught:
        read(content, **options) if isinstance(content, Path) else decode(content, "a\nb.png", **options)
    assert type(caught.value) is error and caught.value.remedy
    assert "\n" not in str(caught.value) and "Traceback" not in str(caught.value)
    return str(caught.value)


def test_files_that_are_missing_folders_pipes_or_empty(tmp_path: Path) -> None:
    assert "does not exist" in refused(InputError, tmp_path / "no.png")
    assert "does not exist" in refused(InputError, tmp_path / "a\0b")
    assert "is a folder" in refused(InputError, tmp_path)
    (tmp_path / "empty.png").touch()
    assert "'" + str(tmp_path / "empty.png") + "' is empty" in refused(InputError, tmp_path / "empty.png")
    os.mkfifo(tmp_path / "pipe")
    assert "is not a file" in refused(InputError, tmp_path / "pipe")


@pytest.mark.parametrize(("error", "words"), [(PermissionError(13, "no"), "may not be read"), (OSError(5, "I/O error"), "(I/O error)")])
def test_files_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved(photo(), "PNG"))

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", fail)
    assert words in refused(InputError, path)
    with pytest.raises(InputError):
        recipe_text(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_a_file_cut_short_is_refused_wherever_it_is_cut(kind: str) -> None:
    whole = saved(photo(), kind)
    for at in (1, 20, 40, len(whole) // 2):
        assert "a�b.png" in refused(InputError, whole[:at])


def test_what_is_no_picture() -> None:
    for content in (b"hello", b"%!PS-Adobe-3.0 EPSF", b"<svg/>", b"%PDF-1.7", bytes(100), b"P6 1 1 255 abc"):
        assert "is not a picture" in refused(InputError, content)
    refused(InputError, png(0, 5, 8, 2, b""))
    refused(InputError, png(5, 5, 8, 2, b""))


@pytest.mark.parametrize(
    "content",
    [
        png(40_000, 25_000, 8, 2, b"\0"),
        b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff," + struct.pack("<4HB", 0, 0, 65535, 65535, 0) + b"\2\2D\1\0;",
        saved(photo(), "BMP")[:18] + struct.pack("<ii", 40_000, 25_000) + saved(photo(), "BMP")[26:],
        saved(photo(), "JPEG").replace(struct.pack(">HH", 24, 32), struct.pack(">HH", 65_000, 65_000), 1),
        saved(photo(), "TIFF").replace(struct.pack("<HHII", 256, 4, 1, 32), struct.pack("<HHII", 256, 4, 1, 1 << 26), 1),
    ],
    ids=["png", "gif", "bmp", "jpeg", "tiff"],
)  # fmt: skip
def test_claims_of_a_billion_pixels_are_refused_before_decoding(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.core, "new", lambda *_: pytest.fail("memory was taken"))
    monkeypatch.setattr(Image.core, "fill", lambda *_: pytest.fail("memory was taken"))
    message = refused(UnsafeError, content)
    assert "--max-pixels" in message and "500,000,000" in message and "claims" in message


def test_a_png_too_short_for_its_pixels_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    black = png(4000, 3000, 8, 2, bytes(12_001 * 3000))
    assert len(black) < 40_000 and decode(black, "a").rgb.shape == (3000, 4000, 3)  # packed as tightly as can be
    monkeypatch.setattr(Image.core, "new", lambda *_: pytest.fail("memory was taken"))
    assert "is cut short" in refused(InputError, png(20_000, 20_000, 8, 2, bytes(1000)))


def test_large_pictures_are_converted_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.files.decoding._BAND", 32 * 5)
    rgba = np.dstack([photo(), ALPHA])
    for image in (Image.fromarray(rgba), Image.fromarray(rgba).quantize(200)):
        seen, whole = decode(saved(image, "PNG"), "a"), np.asarray(image.convert("RGBA"))
        assert np.array_equal(seen.rgb, whole[..., :3]) and np.array_equal(seen.alpha, whole[..., 3])
    keyed = saved(photo(), "PNG", transparency=(0, 0, 0))
    assert np.array_equal(decode(keyed, "a").alpha == 0, (photo() == 0).all(-1))


def test_max_pixels_is_exact() -> None:
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"):
        content = saved(photo(), kind)
        assert decode(content, "a", max_pixels=24 * 32).rgb.shape == (24, 32, 3)
        assert "32×24 = 768" in refused(UnsafeError, content, max_pixels=24 * 32 - 1)


def test_pillows_own_limit_neither_binds_nor_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"):
            assert decode(saved(photo(), kind), "a").rgb.shape == (24, 32, 3)
            assert Image.MAX_IMAGE_PIXELS == 10
    refused(UnsafeError, saved(photo(), "PNG"), max_pixels=5)
    refused(InputError, saved(photo(), "PNG")[:50])
    assert Image.MAX_IMAGE_PIXELS == 10


def test_pillows_own_limit_comes_back_after_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    content, failures = saved(photo(), "WEBP"), []

    def work(limit: int) -> None:
        for _ in range(20):
            try:
                decode(content, "a", max_pixels=limit)
            except ReverieError as error:
                failures.append(error)

    threads = [threading.Thread(target=work, args=(1000 + number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == [] and Image.MAX_IMAGE_PIXELS == 10


def test_files_far_larger_than_any_picture(tmp_path: Path) -> None:
    with (tmp_path / "sparse.png").open("wb") as file:
        file.write(SIGNATURE)
        file.truncate(1 << 40)
    assert "--max-pixels" in refused(UnsafeError, tmp_path / "sparse.png")


def test_texts_and_profiles_that_unpack_to_gigabytes() -> None:
    bomb = zlib.compress(bytes(50 << 20), 9)
    for each in (chunk(b"zTXt", b"a\0\0" + bomb), chunk(b"iTXt", b"a\0\1\0\0\0" + bomb), chunk(b"iCCP", b"a\0\0" + bomb)):
        assert "unpack" in refused(UnsafeError, png(1, 1, 8, 0, b"\0\0", each))
    refused(UnsafeError, png(1, 1, 8, 0, b"\0\0", *[chunk(b"tEXt", b"a%d\0" % each + bytes(1 << 20)) for each in range(65)]))


def test_memory_that_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    content = saved(photo(), "PNG")
    monkeypatch.setattr(Image.core, "new", fail)
    assert "more memory than is free" in refused(InputError, content)


def test_hostile_exif_is_ignored() -> None:
    for exif in (b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0" + bytes(range(256))):
        assert decode(saved(photo(), "JPEG", exif=exif, quality=100), "a").rgb.shape == (24, 32, 3)
    exif = Image.Exif()
    exif[0x0112] = 4711
    assert np.array_equal(decode(saved(photo(), "PNG", exif=exif), "a").rgb, photo())
    assert decode(png(1, 1, 8, 0, b"\0\0", chunk(b"tEXt", b"Raw profile type exif\0\nexif\n9\nzz")), "a").rgb.shape == (1, 1, 3)


SEEDS = {kind: saved(photo(), kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")}


EDITS = st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=6))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=6)), max_size=5),
    st.integers(0, 3),
)
def test_no_bytes_escape_our_errors(kind: str, edits: list[tuple[int, bytes]], cut: int) -> None:
    content = bytearray(SEEDS[kind])
    for at, new in edits:
        at %= len(content)
        content[at : at + len(new)] = new
    content = content[: len(content) - cut * len(content) // 5]
    for act in (lambda: decode(bytes(content), "a", max_pixels=4_000_000), lambda: recipe_text(bytes(content))):
        try:
            act()
        except ReverieError as error:
            assert "\n" not in str(error)


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_round_trip(suffix: str) -> None:
    content = encode(photo(), suffix=suffix, dpi=(300, 150), recipe=RECIPE)
    assert content == encode(photo(), suffix=suffix.upper(), dpi=(300, 150), recipe=RECIPE)
    seen = decode(content, "a")
    exact = suffix in (".png", ".tif", ".tiff")
    assert np.abs(seen.rgb.astype(int) - photo()).max() <= (0 if exact else 12) and seen.alpha is None
    assert seen.dpi is not None and np.allclose(seen.dpi, (300, 150), atol=0.02)
    assert recipe_text(content) == RECIPE
    bare = encode(photo(), suffix=suffix)
    assert recipe_text(bare) is None and decode(bare, "a").dpi is None
    assert b"everie" not in bare


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_round_trip_of_alpha(suffix: str) -> None:
    content = encode(photo(), ALPHA, suffix=suffix, recipe=RECIPE)
    assert np.array_equal(decode(content, "a").alpha, ALPHA)
    assert recipe_text(content) == RECIPE


def test_every_file_says_that_it_is_srgb() -> None:
    assert b"sRGB\x01" in encode(photo(), suffix=".png") and b"sRGB\x01" in encode(photo().astype(np.uint16), suffix=".png")
    for suffix in (".jpg", ".webp", ".tif"):
        assert Image.open(BytesIO(encode(photo(), suffix=suffix))).info["icc_profile"] == srgb_profile()


def test_the_profile_holds_no_time_of_day() -> None:
    assert srgb_profile()[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    assert srgb_profile()[84:100] == bytes(16)


def test_jpeg_keeps_the_full_resolution_of_colour() -> None:
    image = Image.open(BytesIO(encode(photo(), suffix=".jpg")))
    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3


def deep_rows(content: bytes, width: int, channels: int) -> np.ndarray:
    """An independent reader of the PNGs of 16 bits: undoes filters 0 and 2."""
    at, data = 8, b""
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(content[at + 4 : at + 8 + length])
        data += content[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(-1, 1 + width * channels * 2)
    out, above = [], np.zeros(width * channels * 2, np.uint8)
    for row in rows:
        assert row[0] in (0, 2)
        above = row[1:] + (above if row[0] == 2 else np.uint8(0))
        out.append(above)
    return np.stack(out).view(">u2").reshape(-1, width, channels)


@pytest.mark.parametrize("band", [1 << 22, 500])
def test_16_bits_are_written_whole(monkeypatch: pytest.MonkeyPatch, band: int) -> None:
    monkeypatch.setattr("reverie.files.png._BAND", band)
    noise = np.random.default_rng(3).integers(0, 65536, (24, 32, 4), dtype=np.uint16)
    rgb, alpha = noise[..., :3], noise[..., 3]
    plain, clear = encode(rgb, suffix=".png", recipe=RECIPE, dpi=(72, 72)), encode(rgb, alpha, suffix=".png")
    assert np.array_equal(deep_rows(plain, 32, 3), rgb) and np.array_equal(deep_rows(clear, 32, 4), noise)
    assert recipe_text(plain) == RECIPE
    seen = decode(clear, "a")  # libpng's own filters, by way of Pillow: the high bytes
    assert np.array_equal(seen.rgb, rgb >> 8) and np.array_equal(seen.alpha, alpha >> 8)
    Image.open(BytesIO(plain)).verify()


def test_what_a_format_cannot_hold() -> None:
    deep, wide = photo().astype(np.uint16), np.zeros((1, 16384, 3), np.uint8)
    cases = [
        (deep, None, ".jpg", "save as .png"), (deep, None, ".tif", "save as .png"), (deep, None, ".webp", "save as .png"),
        (photo(), ALPHA, ".jpg", "save as .png or .webp"), (wide, None, ".webp", "16384×1"), (photo(), None, ".gif", ".jpeg, .jpg, .png"),
        (photo(), None, "", ".tif, .tiff, .webp"),
    ]  # fmt: skip
    for rgb, alpha, suffix, words in cases:
        with pytest.raises(UsageError) as caught:
            encode(rgb, alpha, suffix=suffix)
        assert words in str(caught.value), suffix
    assert encode(photo(), np.full((24, 32), 255, np.uint8), suffix=".jpg") == encode(photo(), suffix=".jpg")
    for rgb, alpha in (
        (photo()[..., 0], None),
        (photo()[:0], None),
        (photo() / 255, None),
        (photo(), ALPHA[1:]),
        (photo(), ALPHA.astype(np.uint16)),
    ):
        with pytest.raises(ValueError):
            encode(rgb, alpha, suffix=".png")


def test_what_can_be_written_can_be_read() -> None:
    assert SUFFIXES < READABLE and all(each == each.lower() and each[0] == "." for each in READABLE)


# ── recipes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_recipes_too_long_or_with_characters_that_cannot_be_kept() -> None:
    assert recipe_text(encode(photo(), suffix=".png", recipe="x" * MAX_RECIPE)) == "x" * MAX_RECIPE
    assert recipe_text(encode(photo(), suffix=".tif", recipe='"' * MAX_RECIPE)) == '"' * MAX_RECIPE
    for suffix, recipe in ((".png", "é" * MAX_RECIPE), (".jpg", "x" * 65_500), (".png", "a\0b"), (".webp", "\x1b"), (".tif", "\ud800")):
        with pytest.raises(UsageError):
            encode(photo(), suffix=suffix, recipe=recipe)
    assert recipe_text(encode(photo(), suffix=".jpg", recipe="x" * 65_000)) == "x" * 65_000
    assert recipe_text(encode(photo(), suffix=".webp", recipe="")) == ""


def test_recipes_are_found_in_files_and_elsewhere_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(encode(photo(), suffix=".png", recipe=RECIPE))
    assert recipe_text(path) == RECIPE
    with pytest.raises(InputError, match="does not exist"):
        recipe_text(tmp_path / "no")
    with pytest.raises(InputError, match="is a folder"):
        recipe_text(tmp_path)
    for content in (b"", b"hello", *SEEDS.values(), saved(photo(), "JPEG", xmp=b"<a/>"), saved(photo(), "JPEG", xmp=b"<broken")):
        assert recipe_text(content) is None


def with_text(*chunks: bytes) -> bytes:
    return png(1, 1, 8, 0, b"\0\0", *chunks)


def test_other_ways_to_write_the_chunk() -> None:
    packed = zlib.compress(RECIPE.encode())
    assert recipe_text(with_text(chunk(b"tEXt", b"other\0no"), chunk(b"tEXt", "reverie\0naïve".encode("latin-1")))) == "naïve"
    assert recipe_text(with_text(chunk(b"zTXt", b"reverie\0\0" + zlib.compress(b"abc")))) == "abc"
    assert recipe_text(with_text(chunk(b"iTXt", b"reverie\0\1\0en\0key\0" + packed))) == RECIPE
    after = with_text()[:-12] + chunk(b"iTXt", b"reverie\0\0\0\0\0after the pixels") + chunk(b"IEND", b"")
    assert recipe_text(after) == "after the pixels"


def test_hostile_chunks() -> None:
    bomb = zlib.compress(bytes(50 << 20), 9)
    long = chunk(b"tEXt", b"reverie\0" + b"x" * (MAX_RECIPE + 1))
    for each in (chunk(b"zTXt", b"reverie\0\0" + bomb), chunk(b"iTXt", b"reverie\0\1\0\0\0" + bomb), long):
        with pytest.raises(UnsafeError, match="1,048,576"):
            recipe_text(with_text(each))
    with pytest.raises(UnsafeError, match="parts"):
        recipe_text(SIGNATURE + chunk(b"junk", b"") * 200_001)
    broken = bytearray(with_text(chunk(b"tEXt", b"reverie\0abc")))
    broken[broken.index(b"abc")] ^= 1
    for content in (
        with_text(chunk(b"iTXt", b"reverie\0\0\0\0\0\xff\xfe")),
        with_text(chunk(b"zTXt", b"reverie\0\0nonsense")),
        with_text(chunk(b"zTXt", b"reverie\0\0" + zlib.compress(RECIPE.encode())[:-6])),
        bytes(broken),
    ):
        with pytest.raises(InputError, match="the recipe in 'a�b' is damaged"):
            recipe_text(content, "a\nb")


def xmp(body: str, before: str = "") -> bytes:
    return saved(photo(), "JPEG", xmp=f'{before}<x xmlns:r="urn:reverie:xmp:1#">{body}</x>'.encode())


def test_hostile_xmp() -> None:
    assert recipe_text(xmp("<r:recipe>a&amp;b</r:recipe><r:recipe>second</r:recipe>")) == "a&b"
    assert recipe_text(xmp("<recipe>of another</recipe>")) is None
    assert recipe_text(xmp("<r:recipe>" + "<a>" * 5000 + "x" + "</a>" * 5000 + "</r:recipe>")) == ""
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    for body in ("<r:recipe>&b;</r:recipe>", "<r:recipe>&f;</r:recipe>"):
        with pytest.raises(UnsafeError, match="document type"):
            recipe_text(xmp(body, laughs))
    with pytest.raises(UnsafeError):
        recipe_text(xmp("<r:recipe>a</r:recipe>", '<?xml version="1.0" encoding="utf-16"?>' + laughs))
    for body in ("<r:recipe>", "<r:recipe>&unknown;</r:recipe>", "<r:recipe>\0</r:recipe>"):
        with pytest.raises(InputError, match="damaged"):
            recipe_text(xmp(body))


def test_an_xmp_packet_of_gigabytes_is_not_read() -> None:
    webp = encode(photo(), suffix=".webp", recipe="abc")
    at = webp.index(b"XMP ") + 4
    with pytest.raises(UnsafeError):
        recipe_text(webp[:at] + struct.pack("<I", 1 << 31) + webp[at + 4 :])


def test_nothing_happens_on_import() -> None:
    """No filter, no limit and no format is registered when the room is imported, and it needs no torch."""
    script = (
        "import sys, warnings\nimport numpy\nfrom PIL import Image\nbefore = (Image.MAX_IMAGE_PIXELS, list(warnings.filters))\n"
        "import reverie.files\nassert before == (Image.MAX_IMAGE_PIXELS, list(warnings.filters))\n"
        "assert not {'torch', 'pydantic', 'pillow_heif'} & set(sys.modules), 'heavy import'"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stderr == ""
