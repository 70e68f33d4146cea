"""What cannot be read: files that are no pictures, broken, or made to cost too much; each is told, and costs nothing."""

from __future__ import annotations

import os
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, _imaging
from tests.helpers.imagefiles import ALPHA, SEEDS, photo, png, saved
from tests.helpers.known import there

from reverie.errors import InputError, ReverieError, UnsafeError
from reverie.files import at_most_pixels, decode, read, recipe_text
from reverie.files.png import SIGNATURE, chunk
from reverie.recipe import MAX_PIXELS


def refused(error: type[ReverieError], content: bytes | Path, limit: int = MAX_PIXELS) -> str:
    with pytest.raises(error) as caught, at_most_pixels(limit):
        read(content) if isinstance(content, Path) else decode(content, "a\nb.png")
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


@pytest.mark.parametrize("kind", list(SEEDS))
def test_a_file_cut_short_is_refused_wherever_it_is_cut(kind: str) -> None:
    whole = saved(photo(), kind)
    for at in (1, 20, 40, len(whole) // 2):
        assert "a�b.png" in refused(InputError, whole[:at])


def test_what_is_no_picture() -> None:
    for content in (b"hello", bytes(100), b"\xfe\xed\xfa\xce" * 9):
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
    monkeypatch.setattr(_imaging, "new", lambda *_: pytest.fail("memory was taken"))
    monkeypatch.setattr(_imaging, "fill", lambda *_: pytest.fail("memory was taken"))
    message = refused(UnsafeError, content)
    assert "max_pixels=" in message and "500,000,000" in message and "claims" in message


def test_a_png_too_short_for_its_pixels_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    black = png(4000, 3000, 8, 2, bytes(12_001 * 3000))
    assert len(black) < 40_000 and decode(black, "a").rgb.shape == (3000, 4000, 3)  # packed as tightly as can be
    monkeypatch.setattr(_imaging, "new", lambda *_: pytest.fail("memory was taken"))
    assert "is cut short" in refused(InputError, png(20_000, 20_000, 8, 2, bytes(1000)))


def test_large_pictures_are_converted_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.files.from_pillow._BAND", 32 * 5)
    rgba = np.dstack([photo(), ALPHA])
    for image in (Image.fromarray(rgba), Image.fromarray(rgba).quantize(200)):
        seen, whole = decode(saved(image, "PNG"), "a"), np.asarray(image.convert("RGBA"))
        assert np.array_equal(seen.rgb, whole[..., :3]) and np.array_equal(there(seen.alpha), whole[..., 3])
    keyed = saved(photo(), "PNG", transparency=(0, 0, 0))
    assert np.array_equal(decode(keyed, "a").alpha == 0, (photo() == 0).all(-1))


def test_the_limit_of_pixels_is_exact() -> None:
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"):
        content = saved(photo(), kind)
        with at_most_pixels(24 * 32):
            assert decode(content, "a").rgb.shape == (24, 32, 3)
        assert "32×24 = 768" in refused(UnsafeError, content, 24 * 32 - 1)


def test_pillows_own_limit_neither_binds_nor_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"):
            assert decode(saved(photo(), kind), "a").rgb.shape == (24, 32, 3)
            assert Image.MAX_IMAGE_PIXELS == 10
    refused(UnsafeError, saved(photo(), "PNG"), 5)
    refused(InputError, saved(photo(), "PNG")[:50])
    assert Image.MAX_IMAGE_PIXELS == 10


def test_pillows_own_limit_comes_back_after_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    content, failures = saved(photo(), "WEBP"), []

    def work(limit: int) -> None:
        for _ in range(20):
            try:
                with at_most_pixels(limit):
                    decode(content, "a")
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
    assert "max_pixels=" in refused(UnsafeError, tmp_path / "sparse.png")


def test_texts_and_profiles_that_unpack_to_gigabytes() -> None:
    bomb = zlib.compress(bytes(50 << 20), 9)
    for each in (chunk(b"zTXt", b"a\0\0" + bomb), chunk(b"iTXt", b"a\0\1\0\0\0" + bomb), chunk(b"iCCP", b"a\0\0" + bomb)):
        assert "unpack" in refused(UnsafeError, png(1, 1, 8, 0, b"\0\0", each))
    refused(UnsafeError, png(1, 1, 8, 0, b"\0\0", *[chunk(b"tEXt", b"a%d\0" % each + bytes(1 << 20)) for each in range(65)]))


def test_memory_that_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    content = saved(photo(), "PNG")
    monkeypatch.setattr(_imaging, "new", fail)
    assert "more memory than is free" in refused(InputError, content)


def test_hostile_exif_is_ignored() -> None:
    for exif in (b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0" + bytes(range(256))):
        assert decode(saved(photo(), "JPEG", exif=exif, quality=100), "a").rgb.shape == (24, 32, 3)
    turned = Image.Exif()
    turned[0x0112] = 4711
    assert np.array_equal(decode(saved(photo(), "PNG", exif=turned), "a").rgb, photo())
    assert decode(png(1, 1, 8, 0, b"\0\0", chunk(b"tEXt", b"Raw profile type exif\0\nexif\n9\nzz")), "a").rgb.shape == (1, 1, 3)


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
    for act in (lambda: decode(bytes(content), "a"), lambda: recipe_text(bytes(content))):
        try:
            with at_most_pixels(4_000_000):
                act()
        except ReverieError as error:
            assert "\n" not in str(error)
