"""Files of pictures with any number of channels: arrays that are read and trusted in nothing, and what is written beside the look."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.commands import Run, listed, photo
from tests.helpers.known import several, there
from tests.helpers.tiny import of_channels

import reverie
from reverie import files, recipe
from reverie.errors import InputError, OutputError, ReverieError, UnsafeError, UsageError
from reverie.files.arrays import Array
from reverie.pictures import Picture, carried, load, load_bytes, noise, quantise, rounded
from reverie.render import Plan

pytestmark = pytest.mark.usefixtures("briefly")

FEW: dict[str, Any] = {"octaves": 2, "steps": 2, "threads": 1}
SHORT = ("-t", "2", "--octaves", "2", "--steps", "2", "--threads", "1")


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture of five channels, in a working folder of its own."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    np.save(work / "scan.npy", some(5))
    return work / "scan.npy"


@pytest.fixture
def five(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands' network takes five channels."""
    for room in ("planning", "replanning"):
        monkeypatch.setattr(f"reverie.api.{room}.networks_from", lambda *_: (of_channels(5),))


def some(channels: int, height: int = 24, width: int = 32) -> np.ndarray[Any, Any]:
    """(C, H, W) float32 in 0..1."""
    return noise("pink", height, width, torch.Generator().manual_seed(2), channels).numpy()


def npy(values: np.ndarray[Any, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **options)
    return buffer.getvalue()


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "tolerance"),
    [
        (lambda x: x, 0), (lambda x: x.transpose(1, 2, 0), 0), (np.asfortranarray, 0),
        (lambda x: np.asfortranarray(x.transpose(1, 2, 0)), 0), (lambda x: x.astype(">f8"), 0), (lambda x: x.astype(np.float16), 1e-3),
        (lambda x: (x * 255).round().astype(np.uint8), 1 / 500),
        (lambda x: (x * 65535).round().astype(">u2"), 1e-5), (lambda x: (x.astype("f8") * (2**32 - 1)).astype("u4"), 1e-6),
        (lambda x: (x.astype("f8") * (2**64 - 2048)).astype("u8"), 1e-6),
    ],
)  # fmt: skip
def test_an_array_is_read_whichever_way_it_lies(given: Callable[[Any], Any], tolerance: float, tmp_path: Path) -> None:
    place = tmp_path / "without a suffix"
    place.write_bytes(npy(given(some(5))))
    for found in (load(place), load(place, channels=5), load_bytes(place.read_bytes(), "it")):
        assert found.pixels.shape == (5, 24, 32) and found.pixels.dtype == torch.float32 and found.content == place.read_bytes()
        assert (found.pixels - torch.from_numpy(some(5))).abs().max() <= tolerance
    assert reverie.Picture is Picture and found.sha256


def test_which_side_the_channels_are() -> None:
    cube = np.random.default_rng(0).random((20, 24, 6), np.float32)
    assert load_bytes(npy(cube), "it").pixels.shape == (6, 20, 24)
    assert load_bytes(npy(cube), "it", channels=20).pixels.shape == (20, 24, 6)
    assert torch.equal(load_bytes(npy(cube[:6]), "it", channels=6).pixels, torch.from_numpy(cube[:6]))  # both ends would do: the first
    flat = load_bytes(npy(cube[..., 0]), "it")
    assert torch.equal(flat.pixels[0], torch.from_numpy(cube[..., 0])) and flat.pixels.shape == (1, 20, 24)
    assert load_bytes(npy(cube[..., 0]), "it", channels=3).pixels.shape == (3, 20, 24)
    assert load_bytes(npy(cube[..., 0] > 0.5), "it").pixels.unique().tolist() == [0, 1]  # type: ignore[no-untyped-call]


HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }"


def headed(header: str, numbers: bytes = bytes(64)) -> bytes:
    """An array with this header."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + numbers


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (npy(np.array([[{}]], object)), "holds no numbers"), (npy(some(5))[:-1], "cut short"),
        (npy(some(5)) + b"\0", "longer than it says"), (npy(some(5))[:40], "is damaged"), (b"\x93NUMPY", "is damaged"),
        (b"\x93NUMPY\3\0" + bytes(90), "is damaged"),
        (npy(some(5) - 2), "outside 0..1"), (npy(some(5) * 2), "outside 0..1"), (npy(np.full((4, 4), np.nan)), "outside 0..1"),
        (npy(np.full((4, 4), np.inf)), "outside 0..1"), (npy(np.ones((4, 4), np.int16)), "no numbers that say"),
        (npy(np.ones((4, 4), complex)), "holds no numbers"), (npy(np.ones(4, np.float32)), "has the shape"),
        (npy(np.ones((1, 2, 4, 4), np.float32)), "has the shape"), (npy(np.ones((0, 4), np.float32)), "has the shape"),
        (npy(np.ones((4, 4), "f4,f4")), "holds no numbers"), (npy(np.array([["a"]])), "holds no numbers"),
        (headed(HEADER % "(-4, -4)"), "has the shape"), (headed(HEADER % "(True, 16)"), "has the shape"),
        (headed(HEADER % "(10**9, 10**9)"), "is damaged"), (headed("(" * 9000), "is damaged"), (headed("{}"), "is damaged"),
        (headed(HEADER % "__import__('os').mkdir('made')"), "is damaged"), (headed("{'a': " * 500), "is damaged"),
    ],
)  # fmt: skip
def test_an_array_that_is_no_picture(content: bytes, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npy").write_bytes(content)
    reads: list[Callable[[], object]] = [lambda: load("a.npy"), lambda: load_bytes(content, "a.npy")]
    for read in reads:
        with pytest.raises(InputError, match=fault) as caught:
            read()
        assert "\n" not in str(caught.value) and caught.value.remedy
    assert listed(tmp_path) == ["a.npy"]


def test_an_array_that_claims_more_than_there_is_takes_no_memory(tmp_path: Path) -> None:
    for shape, most in (("(1000000, 1000000)", 10**9), ("(3, 30000, 30000)", 10**8), ("(30000, 30000, 3)", 10**8)):
        with pytest.raises(UnsafeError, match="pixels, more than"):
            load_bytes(headed(HEADER % shape), "it", most)
    with pytest.raises(InputError, match="cut short"):
        load_bytes(headed(HEADER % "(1000000000, 16, 16)"), "it", channels=10**9)


def test_hostile_arrays_end_in_one_line(tmp_path: Path) -> None:
    print("seed 11")
    chance = random.Random(11)
    sound = npy(some(5, 8, 9))
    for number in range(300):
        content = bytearray(sound)
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(6, 128 if number % 3 else len(content))] = chance.randrange(256)
        try:
            found = load_bytes(bytes(content[: chance.randrange(len(content))] if number % 5 == 0 else content), "it", 10**6)
        except ReverieError as error:
            assert error.exit_code in (3, 4) and "\n" not in error.fault
        else:
            assert torch.isfinite(found.pixels).all() and found.pixels.min() >= 0 and found.pixels.max() <= 1


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.npy").write_bytes(npy(some(5)))
    assert [each.name for each in files.pictures_in(tmp_path)] == ["b.npy"]
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    assert [each.name for each in files.pictures_in(tmp_path)] == ["a.png"]
    assert (
        isinstance(files.read_array(tmp_path / "b.npy"), Array) and not files.is_array(tmp_path / "a.png") and not files.is_array(tmp_path)
    )


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_grey_is_written_as_grey(suffix: str, tmp_path: Path) -> None:
    made = reverie.dream(torch.from_numpy(some(1)), "2", network=of_channels(1), **FEW)
    place = made.save(tmp_path / f"grey{suffix}")
    with Image.open(place) as image:
        assert image.mode == ("RGB" if suffix == ".webp" else "L") and image.size == (32, 24)  # WebP knows no grey
    again = load(place, channels=1)
    assert again.pixels.shape == (1, 24, 32) and listed(tmp_path) == sorted(["cache", place.name])
    assert torch.equal(again.pixels, rounded(made.pixels)) or (
        suffix in (".jpg", ".webp") and (again.pixels - made.pixels).abs().mean() < 0.02
    )
    assert carried(place) == there(made.recipe).text() and made.image.mode == "L"


def test_grey_with_16_bits_and_with_opacity(tmp_path: Path) -> None:
    start = torch.from_numpy(some(1))
    deep = reverie.dream(start, "2", network=of_channels(1), deep=True, **FEW)
    content = deep.save(tmp_path / "deep.png").read_bytes()
    assert content[24:26] == bytes([16, 0])  # bits, and the kind of colour: grey
    assert (load(tmp_path / "deep.png", channels=1).pixels - deep.pixels).abs().max() <= 1 / 65535
    for bits, kind in ((False, bytes([8, 4])), (True, bytes([16, 4]))):
        veiled = reverie.dream(start, "2", network=of_channels(1), opacity=True, deep=bits, **FEW)
        assert veiled.save(tmp_path / f"veil{bits}.png").read_bytes()[24:26] == kind and veiled.image.mode == "LA"
        again = load(tmp_path / f"veil{bits}.png", channels=1)
        assert (again.pixels - veiled.pixels).abs().max() < 0.01 and (there(again.alpha) - there(veiled.alpha)).abs().max() < 0.01


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_all_channels_go_beside_the_look_and_come_back(channels: int, tmp_path: Path) -> None:
    net, start = of_channels(channels), tmp_path / "start.npy"
    np.save(start, some(channels))
    mapping: dict[str, Any] = {} if channels == 2 else {"shown": (3, 2, 1)}
    made = reverie.dream(start, "2", network=net, mask=torch.ones(1, 24, 32), guide=start, **FEW, **mapping)
    place = made.save(tmp_path / "made.png")
    assert np.array_equal(np.load(tmp_path / "made.npy", allow_pickle=False), made.pixels.numpy())
    with Image.open(place) as image:
        assert np.array_equal(np.asarray(image), quantise(made.colours)) and image.mode == "RGB"
    start.unlink()  # it is in the cache
    again = reverie.redo(place, network=net)
    assert torch.equal(again.pixels, made.pixels) and again.encode() == place.read_bytes()
    again.save(place)  # of the same recipe: both are replaced without force
    from_array = reverie.dream(tmp_path / "made.npy", "2", network=net, **FEW)
    assert torch.equal(from_array.pixels, reverie.dream(made, "2", network=net, **FEW).pixels)
    if channels > 3:
        other = reverie.dream(tmp_path / "made.npy", "2", network=net, shown=0, **FEW)
        assert torch.equal(other.pixels, from_array.pixels) and not torch.equal(other.colours, from_array.colours)


def test_features_of_many_channels_are_made_again(tmp_path: Path) -> None:
    net = of_channels(4)
    for canvas in ("pixels", "fourier", "maco"):
        made = several(reverie.feature("2:0-1", network=net, canvas=canvas, size=16, octaves=1, steps=2, threads=1))[1]
        made.save(tmp_path / f"{canvas}.png")
        assert torch.equal(reverie.redo(tmp_path / f"{canvas}.png", network=net).pixels, made.pixels)
    with pytest.raises(InputError, match=r"other weights|own"):
        reverie.redo(tmp_path / "maco.png", network=of_channels(5))


def test_both_files_or_none(tmp_path: Path) -> None:
    picture = Picture(torch.from_numpy(some(5)))
    (tmp_path / "a.npy").write_text("somebody's own")
    with pytest.raises(OutputError, match=r"a\.npy' exists already"):
        picture.save(tmp_path / "a.png")
    assert listed(tmp_path) == ["a.npy"]
    (tmp_path / "b.png").write_text("somebody's own")
    with pytest.raises(OutputError, match=r"b\.png' exists already"):
        picture.save(tmp_path / "b.png")
    assert not (tmp_path / "b.npy").exists() and (tmp_path / "a.npy").read_text() == (tmp_path / "b.png").read_text()
    picture.save(tmp_path / "a.png", force=True)
    assert np.array_equal(np.load(tmp_path / "a.npy"), some(5)) and not [each for each in listed(tmp_path) if each.endswith(".part")]
    with pytest.raises(UsageError, match=r"'\.npy' alone; name a \.png"):
        picture.save(tmp_path / "c.npy")


def test_a_recipe_that_was_edited_is_refused(tmp_path: Path) -> None:
    made = reverie.dream("noise:pink", "2", network=of_channels(5), size=16, **FEW)
    text = there(made.recipe).text()
    moving = text.replace('"command":"dream"', '"command":"journey"').replace('"journey":null', '"journey":{}')
    with pytest.raises(InputError, match="frames are grey or coloured"):
        recipe.read(moving)
    for old, new in (
        ('"channels":5', '"channels":4'), ('"channels":5', '"channels":1000000'), ('"channels":5', '"channels":0'),
        ('"shown":[]', '"shown":[5]'), ('"shown":[]', '"shown":[0,1]'), ('"keep_colour":false', '"keep_colour":true'),
    ):  # fmt: skip
        assert old in text
        place = tmp_path / "a.png"
        place.write_bytes(files.encode(photo(16, 16), suffix=".png", recipe=text.replace(old, new)))
        with pytest.raises(InputError, match=r"channels|not valid"):
            reverie.redo(place, network=of_channels(5))


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_commands_take_and_give_arrays(scan: Path, five: None, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made = run("dream", scan.name, *SHORT, "-o", "out.png", "--making", "2", "--shown", "3,2,1", "--tile", "16")
    assert (made.code, made.out.splitlines()) == (0, ["out.png", "out.npy", "out-making.png"])
    again = run("dream", scan.name, *SHORT, "-o", "out.png", "--shown", "3,2,1", "--tile", "16", "--json")  # the same recipe
    assert again.code == 0 and again.data[0]["channels"] == "out.npy" and again.data[0]["recipe"]["finish"]["shown"] == [3, 2, 1]
    run("dream", scan.name, *SHORT, "-o", "out.png").fault(5, "'out.png' exists already")
    Path("out.png").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Plan, "make_all", None)  # it is told before any work is done
        run("dream", scan.name, *SHORT, "-o", "out.png").fault(5, "'out.npy' exists already")
    assert run("dream", scan.name, *SHORT, "-o", "out.png", "--force").code == 0
    units = run("feature", "2:0-1", *SHORT[2:], "--size", "16", "--sheet", "sheet.png", "--making", "2", "--shown", "4")
    assert units.code == 0 and [each for each in listed(scan.parent) if each.startswith("feature")] == [
        f"feature-2_{unit}-0{ending}" for unit in (0, 1) for ending in ("-making.png", ".npy", ".png")
    ]
    assert run("see", scan.name, "--layers", "0", "--steps", "2", "--channels", "1", "--shown", "3,2,1", "--pictures").code == 0
    assert {"0-rebuilt.png", "0-rebuilt.npy", "0-enhanced.npy"} <= set(listed(scan.parent / "scan-seen" / "pictures"))
    (scan.parent / "many").mkdir()
    scan.rename(scan.parent / "many" / "one.npy")
    assert run("dream", "many", *SHORT).out.splitlines()[0].startswith("one-2-0")


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        (("scan.npy", "-o", "out.npy"), 2, (".npy",)), (("scan.npy", "--shown", "9,1,0"), 2, ("--shown 9,1,0", "5 channels")),
        (("scan.npy", "--shown", "red"), 2, ("--shown red", "3,2,1")), (("scan.npy", "--vivid", "0.5"), 2, ("--vivid changes nothing",)),
        (("scan.npy", "--keep-colour"), 2, ("--keep-colour",)), (("three.png",), 3, ("three colours", "takes 5", "(5, H, W)")),
        (("four.npy",), 3, ("4 channels", "takes 5")), (("bad.npy",), 3, ("outside 0..1",)),
        (("scan.npy", "--max-pixels", "9"), 4, ("768",)),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_a_line(
    arguments: tuple[str, ...], code: int, parts: tuple[str, ...], scan: Path, five: None, run: Run
) -> None:
    Image.fromarray(photo(24, 32)).save("three.png")
    np.save("four.npy", some(4))
    np.save("bad.npy", some(5) * 9)
    run("dream", *arguments, *SHORT).fault(code, *parts)
    assert listed(scan.parent) == ["bad.npy", "four.npy", "scan.npy", "three.png"]
