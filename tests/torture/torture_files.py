"""Sweep: mutated pictures, hostile recipes, and writers killed while they save. Exit 1 if anything but our errors gets out.

python tests/torture/torture_files.py [--seed N] [--pictures 2000] [--chunks 200] [--kills 50]
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from reverie.errors import ReverieError
from reverie.files import at_most_pixels, decode, encode, recipe_text
from reverie.files.colour import srgb_profile
from reverie.files.png import SIGNATURE, chunk

KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF", "JPEG2000")
SLOW = 5.0  # seconds
LIMIT = 50_000_000  # pixels: a sound picture above takes longer than that on a small machine, which is no hang
NUMBERS = [bytes.fromhex(each) for each in ("00000000", "ffffffff", "7fffffff", "0000ffff", "ffff0000", "00004000")]
TAGS = (0x0112, 0x011A, 0x0128, 0x8769, 0x8825)


class Sweep:
    """Counts of what happened; whatever is not a ReverieError or a result is a finding."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.slowest = 0.0

    def attempt(self, what: str, act: Callable[[], object]) -> None:
        faulthandler.dump_traceback_later(60, exit=True)  # a hang inside a codec never comes back to Python
        began = time.perf_counter()
        try:
            with at_most_pixels(LIMIT):
                act()
            self.counts["fine"] += 1
        except ReverieError as error:
            self.counts[type(error).__name__] += 1
            if "\n" in str(error) or not error.remedy:
                self.finding("tracebacks", f"{what}: not one line with a remedy: {error!r}")
        except BaseException:  # noqa: BLE001 - what gets out is what we look for
            self.finding("tracebacks", f"{what}\n{traceback.format_exc()}")
        faulthandler.cancel_dump_traceback_later()
        took = time.perf_counter() - began
        self.slowest = max(self.slowest, took)
        if took > SLOW:
            self.finding("hangs", f"{what}: {took:.1f} s")

    def finding(self, kind: str, text: str) -> None:
        self.counts[kind] += 1
        print(f"{kind}: {text}", flush=True)


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def seeds(rng: random.Random) -> dict[str, list[bytes]]:
    """For each kind: plain, with exif and profile, of other modes, animated."""
    y, x = np.mgrid[:48, :64]
    photo = Image.fromarray(np.stack([x * 4, y * 5, x + y], -1).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112], exif[0x011A], exif[0x011B], exif[0x0128] = 6, 300.0, 300.0, 2
    modes = {
        "PNG": "1 L LA P RGB RGBA I;16", "JPEG": "L RGB CMYK", "WEBP": "RGB RGBA", "TIFF": "1 L LA P RGB RGBA CMYK LAB YCbCr I;16 I F",
        "GIF": "L P RGB RGBA", "AVIF": "RGB RGBA", "JPEG2000": "L RGB RGBA",
    }  # fmt: skip
    found: dict[str, list[bytes]] = {}
    for kind in KINDS:
        images = [photo.convert("RGB" if mode == "LAB" else "I" if mode == "I;16" else mode) for mode in modes[kind].split()]
        images = [each.convert("I;16") if mode == "I;16" else each for each, mode in zip(images, modes[kind].split(), strict=True)]
        found[kind] = [save(each, kind) for each in images]
        found[kind].append(save(photo, kind, exif=exif, icc_profile=srgb_profile(), xmp=b"<x/>", dpi=(72, 72)))
        if kind not in ("JPEG", "JPEG2000"):
            frames = [photo.rotate(rng.randrange(360)) for _ in range(3)]
            found[kind].append(save(photo, kind, save_all=True, append_images=frames, duration=50))
    return found


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def mutated(rng: random.Random, kind: str, content: bytes) -> tuple[str, bytes]:
    """One hostile relative of a picture, and how it came about."""
    way = rng.choice(["cut", "flip", "flip", "splice", "repeat", "numbers", "numbers", "bomb", "exif", "icc"])
    data = bytearray(content)
    if way == "cut":
        return way, bytes(data[: rng.randrange(len(data))])
    if way == "flip":
        for _ in range(rng.choice([1, 3, 20, 200])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif way == "splice":
        at, to = sorted(rng.randrange(len(data)) for _ in range(2))
        data[at:to] = rng.randbytes(rng.randrange(64))
    elif way == "repeat":
        at, to = sorted(rng.randrange(len(data)) for _ in range(2))
        data[at:at] = data[at:to] * rng.randrange(1, 5)
    elif way == "numbers":
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(min(len(data) - 4, rng.choice([64, 400, 10**9])))
            data[at : at + 4] = rng.choice(NUMBERS)
    elif way == "bomb":
        data = bytearray(bomb(rng))
    else:
        data = bytearray(with_metadata(rng, kind, way))
    return way, repaired(bytes(data)) if rng.random() < 0.7 else bytes(data)


def bomb(rng: random.Random) -> bytes:
    """Small files that claim much: pixels, profiles, texts, frames."""
    side = rng.choice([5_000, 12_000, 22_000, 31_000, 65_535, 2**31 - 1])
    packed = zlib.compress(bytes(20 << 20), 9)
    way = rng.randrange(6)
    if way == 0:
        depth, colour = rng.choice([1, 8, 16]), rng.choice([0, 2, 3, 6])
        header = struct.pack(">IIBBBBB", side, rng.choice([1, side]), depth, colour, 0, 0, rng.randrange(2))
        return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    if way == 1:
        side = min(side, 65_535)
        frame = b"," + struct.pack("<4HB", 0, 0, side, side, 0) + b"\2\2D\1\0"
        start = b"GIF89a" + struct.pack("<HH", rng.choice([1, side]), side) + b"\x80\0\0\0\0\0\xff\xff\xff"
        return start + b"!\xf9\4\x09\0\0\0\0" + frame * 3 + b";"
    if way == 2:
        jpeg = save(Image.new("RGB", (16, 16)), "JPEG", progressive=bool(rng.randrange(2)))
        side = min(side, 65_500)
        return jpeg.replace(struct.pack(">HH", 16, 16), struct.pack(">HH", side, rng.choice([8, side])), 1)
    if way == 3:
        tiff = save(Image.new("RGB", (64, 48)), "TIFF", compression=rng.choice(["tiff_lzw", "tiff_adobe_deflate", "packbits", None]))
        for tag, was in ((256, 64), (257, 48)):
            tiff = tiff.replace(struct.pack("<HHII", tag, 4, 1, was), struct.pack("<HHII", tag, 4, 1, side))
        return tiff
    if way == 4:
        webp = bytearray(save(Image.new("RGBA", (16, 16), (1, 2, 3, 4)), "WEBP", lossless=True))
        webp[20:25] = b"\x2f" + struct.pack("<I", (min(side, 16384) - 1) * 0x4001)
        return bytes(webp)
    text = rng.choice([chunk(b"iCCP", b"a\0\0" + packed), chunk(b"zTXt", b"a\0\0" + packed), chunk(b"iTXt", b"a\0\1\0\0\0" + packed)])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return SIGNATURE + header + text + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def with_metadata(rng: random.Random, kind: str, way: str) -> bytes:
    """A sound picture with a hostile EXIF block or ICC profile."""
    image = Image.new(rng.choice(["RGB", "L"]) if kind in ("PNG", "JPEG", "TIFF") else "RGB", (20, 30), 100)
    if way == "icc":
        profile = bytearray(srgb_profile())
        for _ in range(rng.randrange(1, 30)):
            profile[rng.randrange(len(profile))] = rng.randrange(256)
        if rng.random() < 0.3:
            profile[16:20] = rng.choice([b"CMYK", b"GRAY", b"Lab ", b"XYZ ", b"9CLR"])
        return save(image, kind, icc_profile=bytes(profile[: rng.choice([len(profile), rng.randrange(1, len(profile))])]))
    entries = b"".join(
        struct.pack("<HHII", rng.choice([*TAGS, rng.randrange(65536)]), rng.randrange(16), number(rng), number(rng))
        for _ in range(rng.randrange(20))
    )
    block = b"Exif\0\0II*\0" + struct.pack("<IH", rng.choice([8, 8, 8, 0, 2**32 - 1]), rng.choice([len(entries) // 12, 65535])) + entries
    block += struct.pack("<I", rng.choice([0, 8])) + rng.randbytes(rng.randrange(64))
    if kind in ("GIF", "TIFF"):  # these take no such block: put it where the picture ends
        return save(image, kind) + block
    if kind == "AVIF":  # Pillow reads what it writes here: put it in afterwards
        sound = b"Exif\0\0II*\0" + bytes(len(block) - 10)
        return save(image, kind, exif=sound).replace(sound[6:], block[6:])
    return save(image, kind, exif=block)


def number(rng: random.Random) -> int:
    return rng.choice([0, 1, 2, 6, 8, 255, 65535, 2**31, 2**32 - 1, rng.randrange(2**32)])


def repaired(content: bytes) -> bytes:
    """A PNG with its checksums put right, so that the mutation reaches the code behind them."""
    if not content.startswith(SIGNATURE):
        return content
    out, at = bytearray(content), 8
    while at + 12 <= len(out):
        end = at + 8 + int.from_bytes(out[at : at + 4], "big")
        if end + 4 > len(out):
            break
        out[end : end + 4] = struct.pack(">I", zlib.crc32(out[at + 4 : end]))
        at = end + 4
    return bytes(out)


# ── recipes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def hostile_text(rng: random.Random) -> bytes:
    """A picture whose recipe is an attack or a ruin."""
    body = rng.choice([
        b"", b"\0" * 50, b"\xff\xfe\xfa", b"\xed\xa0\x80", b"{" * 100_000, b"[" * 900_000, b'{"a":1e999999}', b"x" * (3 << 20),
        rng.randbytes(rng.randrange(500)), b"\xef\xbb\xbf{}", "夢".encode() * 1000, b"a\0b\0c",
    ])  # fmt: skip
    if rng.random() < 0.6:
        packed = zlib.compress(rng.choice([body, bytes(30 << 20)]), 9)
        packed = rng.choice([packed, packed[: len(packed) // 2], rng.randbytes(30)])
        content = rng.choice([
            (b"tEXt", b"reverie\0" + body), (b"iTXt", b"reverie\0\0\0\0\0" + body), (b"iTXt", b"reverie\0\1\0\0\0" + packed),
            (b"iTXt", b"reverie\0\1\7" + packed), (b"zTXt", b"reverie\0\0" + packed), (b"zTXt", b"reverie\0"), (b"iTXt", b"reverie\0"),
            (b"zTXt", b"reverie\0\xff" + packed),
        ])  # fmt: skip
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
        whole = chunk(*content) * rng.choice([1, 1, 300 if len(content[1]) < 1000 else 2])
        return SIGNATURE + header + whole + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    entities = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    laughs = b'<!DOCTYPE x [<!ENTITY a0 "ha">' + entities + b"]>"
    inner = rng.choice([body, b"&a11;", b"&#0;", b"&#xD800;", b"<r:recipe>" * 3000, b"<a>" * 10_000, b"<![CDATA[x"])
    recipe = b"<r:recipe>" + inner + b"</r:recipe>"
    start = rng.choice([b"", laughs, b'<!DOCTYPE x SYSTEM "file:///etc/passwd">', b'<?xml version="1.0" encoding="utf-7"?>', b"\xff\xfe"])
    packet = start + b'<x xmlns:r="urn:reverie:xmp:1#">' + recipe + rng.choice([b"</x>", b""])
    kind = rng.choice(["JPEG", "WEBP", "TIFF"])
    if kind == "JPEG":
        packet = packet[:65_000]
    out = bytearray(save(Image.new("RGB", (8, 8)), kind, **({"xmp": packet} if kind != "TIFF" else {"tiffinfo": {700: packet}})))
    if rng.random() < 0.2:
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


# ── kills ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

WRITER = """
import sys
from pathlib import Path
from reverie.store import write_whole
path = Path(sys.argv[1])
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    write_whole(path, bytes([turn % 251]) * 3_000_000 + b"end", replace=True)
"""


def whole(content: bytes) -> bool:
    return len(content) == 3_000_003 and content == content[:1] * 3_000_000 + b"end"


def kill(rng: random.Random, folder: Path, sweep: Sweep) -> None:
    """A writer over an existing file is killed at a random moment, while we read the file over and over."""
    path = folder / "picture.png"
    path.write_bytes(b"\0" * 3_000_000 + b"end")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    until = time.perf_counter() + rng.uniform(0.0, 0.15)
    while time.perf_counter() < until:
        if not whole(path.read_bytes()):
            sweep.finding("partial", "a reader saw a part")
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    if not whole(path.read_bytes()):
        sweep.finding("partial", f"left after the kill: {hashlib.sha256(path.read_bytes()).hexdigest()}")
    for each in folder.iterdir():
        if each != path:
            sweep.counts["leftovers"] += 1
            if not (each.name.startswith(".reverie-") and each.name.endswith(".part")):
                sweep.finding("partial", f"left beside: {each.name}")
            os.utime(each, (0, 0))
    sweep.counts["kills"] += 1


def kills(rng: random.Random, times: int, sweep: Sweep) -> None:
    from reverie.store import write_whole

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(times):
            kill(rng, folder, sweep)
            write_whole(folder / "other", b"", replace=True)  # drops what was left, which we have made old
            (folder / "other").unlink()
            if [each.name for each in folder.iterdir()] not in ([], ["picture.png"]):
                sweep.finding("partial", "what was left is not dropped by the next write")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("seed", 1), ("pictures", 2000), ("chunks", 200), ("kills", 50)):
        parser.add_argument(f"--{name}", type=int, default=value)
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    rng, sweep = random.Random(wanted.seed), Sweep()
    warnings.simplefilter("ignore")  # Pillow remarks on damaged metadata
    base = seeds(rng)
    for turn in range(wanted.pictures):
        kind = KINDS[turn % len(KINDS)]
        way, content = mutated(rng, kind, rng.choice(base[kind]))
        name = f"picture {turn} ({kind}, {way})"
        sweep.attempt(name, partial(decode, content, "picture"))
        sweep.attempt(name + ", its recipe", partial(recipe_text, content))
    for turn in range(wanted.chunks):
        content = hostile_text(rng)
        sweep.attempt(f"recipe {turn}", partial(recipe_text, content))
        sweep.attempt(f"recipe {turn}, its picture", partial(decode, content, "picture"))
    sound = encode(np.zeros((8, 8, 3), np.uint8), suffix=".png", recipe="{}")
    assert recipe_text(sound) == "{}" and decode(sound, "a").rgb.shape == (8, 8, 3)  # the sweep has left nothing behind
    kills(rng, wanted.kills, sweep)
    counts, peak = sweep.counts, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bad = {name: counts[name] for name in ("tracebacks", "hangs", "partial")}
    rest = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if name not in bad)
    print(f"seed {wanted.seed}: {wanted.pictures} pictures, {wanted.chunks} recipes, {wanted.kills} kills: {bad}; {rest}; "
          f"slowest {sweep.slowest:.2f} s, peak {peak:.0f} MB")  # fmt: skip
    return int(any(bad.values()))


if __name__ == "__main__":
    sys.exit(main())
