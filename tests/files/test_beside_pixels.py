"""What stands beside the pixels of a PNG never costs them, and what is no picture of ours is named."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.helpers.imagefiles import photo, plain_png, saved

from reverie.errors import InputError
from reverie.files import decode
from reverie.files.png import chunk

MEGA = 1 << 20


@pytest.mark.parametrize(
    ("kind", "content", "word"),
    [
        (b"tEXt", b"Comment\0" + b"x" * 3 * MEGA, "text of 3.1 MB"),
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 3 * MEGA), "text of 3.1 MB"),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0name\0" + zlib.compress(b"x" * 3 * MEGA), "text of 3.1 MB"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"x" * 3 * MEGA, "text of 3.1 MB"),
        (b"eXIf", b"II*\0" + bytes(2 * MEGA), "EXIF of 2.1 MB"),
        (b"iCCP", b"a\0\0" + zlib.compress(bytes(9 * MEGA)), "colour profile of 9.4 MB"),
        (b"prVt", bytes(2 * MEGA), "part of 2.1 MB"),
    ],
    ids=["tEXt", "zTXt", "iTXt packed", "iTXt", "eXIf", "iCCP", "private"],
)
def test_what_is_too_large_is_skipped_with_a_word(kind: bytes, content: bytes, word: str) -> None:
    found = decode(plain_png(photo(), chunk(kind, content)), "a")
    assert np.array_equal(found.rgb, photo())
    (note,) = found.notes
    assert word in note and "skipped" in note


def test_a_large_profile_counts() -> None:
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = swapped.find(b"rXYZ"), swapped.find(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    swapped += bytes(1_500_000)
    swapped[:4] = len(swapped).to_bytes(4, "big")
    found = decode(saved(photo(), "PNG", icc_profile=bytes(swapped)), "a")
    assert np.abs(found.rgb.astype(int) - photo()[..., [1, 0, 2]]).max() <= 2 and found.notes == ()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"gAMA", b"\0"), (b"cHRM", b"12"), (b"sRGB", b""), (b"iCCP", b"a\0\7nothing"), (b"iCCP", b""), (b"zTXt", b"a"), (b"iTXt", b""),
        (b"iTXt", b"a\0\1\0"), (b"eXIf", b""), (b"cICP", b"\1"), (b"acTL", b"\0"),
    ],
)  # fmt: skip
def test_what_is_broken_beside_the_pixels_is_left_out(kind: bytes, content: bytes) -> None:
    assert np.array_equal(decode(plain_png(photo(), chunk(kind, content)), "a").rgb, photo())
    wrong = chunk(kind, content)[:-1] + b"?"  # its checksum
    if kind != b"eXIf":
        assert np.array_equal(decode(plain_png(photo(), wrong), "a").rgb, photo())


def test_an_animation_is_said() -> None:
    frames = [Image.fromarray(photo()), Image.fromarray(photo()[::-1].copy()), Image.fromarray(photo()[:, ::-1].copy())]
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("GIF", {})):
        found = decode(saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options), "a")
        assert found.notes == ("it is an animation, of which the first picture was taken",)
        assert np.abs(found.rgb.astype(int) - photo()).mean() < 8
        assert decode(saved(frames[0], kind, **options), "a").notes == ()


@pytest.mark.parametrize(("kind", "options"), [("GIF", {"disposal": 2}), ("WEBP", {"lossless": True})])
def test_of_an_animation_that_begins_with_nothing_the_first_picture(kind: str, options: dict[str, object]) -> None:
    nothing, scene = Image.new("RGBA", (32, 24)), Image.fromarray(photo()).convert("RGBA")
    grey = nothing.copy()
    grey.putpixel((1, 1), (1, 1, 1, 0))  # else it would be the same picture for longer
    found = decode(saved(nothing, kind, save_all=True, append_images=[grey, scene], duration=100, **options), "a")
    assert np.abs(found.rgb.astype(int) - photo()).mean() < 8 and "begins transparent; picture number" in found.notes[0]
    empty = decode(saved(nothing, kind, **options), "a")
    assert empty.alpha is not None and not empty.alpha.any()


# ── other kinds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a camera's raw file (CR3)"),
        (b"FUJIFILMCCD-RAW 0201", "a camera's raw file (RAF)"),
        (b"IIU\0\x18\0\0\0", "a camera's raw file (RW2)"),
        (b"IIRO\x08\0\0\0", "a camera's raw file (ORF)"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL"),
        (b"\xff\x0a\xfa\x7f", "a JPEG XL"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"v/1\x01\2\0\0\0", "an OpenEXR picture"),
        (b"#?RADIANCE\n", "a Radiance HDR picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- made by hand -->\n<svg/>", "an SVG drawing"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\n <!DOCTYPE html><html>", "a web page"),
        ("<html>".encode("utf-16"), "a web page"),
        (b'{"error": "not found"}', "a text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "a text"),
        (b"P6\n1 1\n255\nabc", "a Netpbm picture"),
        (b"\0\0\2" + bytes(9) + b"\x40\0\x30\0\x18\x20", "a Targa picture"),
        (b"\0\0\1\0\1\0\x10\x10", "an icon"),
        (b"PK\x03\x04\x14\0", "a ZIP archive"),
        (b"\0\0\0\x18ftypisom\0\0\2\0", "a film, not a picture"),
        (b"\x1a\x45\xdf\xa3\1\0\0\0", "a film, not a picture"),
        (b"RIFF\x24\0\0\0AVI LIST", "a film, not a picture"),
        (b"ID3\4\0\0", "sound, not a picture"),
    ],
)
def test_what_is_no_picture_of_ours_is_named(content: bytes, what: str) -> None:
    with pytest.raises(InputError) as caught:
        decode(content + bytes(300) * content[:1].isascii() * (content[:1] not in b"<{\n\xefv"), "photo.jpg")
    assert f"'photo.jpg' is {what}" in caught.value.fault and caught.value.remedy


def test_jpeg_2000_is_read() -> None:
    assert np.array_equal(decode(saved(photo(), "JPEG2000"), "a").rgb, photo())
