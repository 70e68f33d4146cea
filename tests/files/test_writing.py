"""Pictures into files, and the recipes inside them, hostile ones too."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from tests.helpers.imagefiles import ALPHA, RECIPE, SEEDS, photo, png, saved
from tests.helpers.known import there

from reverie.errors import InputError, UnsafeError, UsageError
from reverie.files import MAX_RECIPE, READABLE, SUFFIXES, decode, encode, recipe_text
from reverie.files.colour import srgb_profile
from reverie.files.png import SIGNATURE, chunk

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
    assert np.array_equal(there(decode(content, "a").alpha), ALPHA)
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
    assert isinstance(image, JpegImageFile)
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
    assert np.array_equal(seen.rgb, rgb >> 8) and np.array_equal(there(seen.alpha), alpha >> 8)
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
    odd: list[tuple[Any, Any]] = [
        (photo()[..., 0], None),
        (photo()[:0], None),
        (photo() / 255, None),
        (photo(), ALPHA[1:]),
        (photo(), ALPHA.astype(np.uint16)),
    ]
    for rgb, alpha in odd:
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
