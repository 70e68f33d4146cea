"""A shelf of command lines, run by two revisions: python tests/replay.py [--base REV] [--only NAME[,NAME…]]; `make replay` runs all of it.

The code of the base and that of the working tree each make everything on the shelf, then the working tree's code redoes what the base made.
A refactoring changes no byte of it: whatever differs is told, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from reverie.waiting import WAITING

BASE = "cf59445"
HERE = Path(__file__).resolve()
OWN = "--network own.pt --definition own:network --mean 0.5,0.4,0.5,0.6 --std 0.2,0.25,0.3,0.25 --range 0,1 --native 32"
FEW = "--width 160 --octaves 2 --steps 3"
GROWN = "--size 64 --steps 24"
MOVING = "--octaves 2 --steps 2 --rounds 2"

# by name; each writes into a folder of that name
SHELF = {
    "dream": "dream sky.png --level parts --width 200 --octaves 3 --steps 4 --making 3 -o a.png",
    "noise": "dream noise:pink --size 128x96 --preset garden --octaves 2 --mix 0.3 --keep-colour --rotate 9 --total-variation 0.2 -o a.png",
    "tiles": "dream sky.png --target blocks.2.1 --tile 64 --octaves 2 --steps 2 -o a.png",
    "guide": f"dream sky.png --guide guide.png --level patterns {FEW} -o a.png",
    "mask": f"dream sky.png --mask mask.png --level scenes {FEW} -o a.png",
    "caricature": f"dream sky.png --caricature --level patterns {FEW} -o a.png",
    "opacity": f"dream sky.png --opacity --deep --target class:banana {FEW} -o a.png",
    "two": f"dream sky.png --network efficientnet-lite0 --network efficientnet-lite1 --level objects {FEW} -o a.png",
    "own": f"dream four.npy --target 2:1 --shown 3,2,1 {FEW} {OWN} -o a.png",
    "jpeg": f'dream sky.jpg --target "blocks.4.1:12 - 0.5*blocks.2.0:3" {FEW} -o a.jpg',
    "webp": f"dream sky.jpg --preset etching {FEW} -o a.webp",
    "imagine": f"imagine banana goldfish lighthouse {GROWN} --sheet imagine/sheet.png -o .",
    "imagine-diverse": f"imagine banana --diverse 2 {GROWN} -o .",
    "imagine-between": f"imagine --between goldfish lighthouse --count 3 {GROWN} -o .",
    "feature": f"feature blocks.2.1:0-3 {GROWN} --seed 2 -o .",
    "feature-fourier": f"feature blocks.4.1:12 --canvas fourier {GROWN} -o a.png",
    "feature-maco": f"feature blocks.4.1:12@centre --canvas maco --opacity {GROWN} -o a.png",
    "feature-direction": f"feature blocks.4.1 --direction direction.npy {GROWN} -o a.png",
    "see": "see sky.png --layers blocks.1.0,blocks.4.1 --width 160 --steps 10 --channels 1 -o seen",
    "journey": f"journey noise:pink --size 128x96 --frames 6 --level textures {MOVING} -o frames",
    "journey-gif": f'journey sky.png --width 150 --frames 6 --fps 5 --level parts --motion "zoom=1.2; rotate=9*sin(t)" {MOVING} -o a.gif',
    "journey-ring": f"journey noise:pink --size 96x64 --frames 4 --fps 2 --turn 1 {MOVING} --ring edges parts -o frames",
    "film": "film moving.gif --frames 5 --level textures --octaves 2 --steps 4 --carried-octaves 2 --carried-steps 2 -o a.mp4",
}

OWN_MODULE = """from torch import nn


def network():
    return nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
"""


class Made(NamedTuple):
    """What one process made in its folder: how long each line took, how it failed, the recipes by path."""

    folder: Path
    seconds: dict[str, float]
    failed: dict[str, str]
    recipes: dict[str, Any]


def write_inputs(folder: Path) -> None:
    """All that the shelf starts from."""
    folder.mkdir()
    import torch

    rng = np.random.default_rng(7)

    def clouds(height: int, width: int, power: float) -> Any:
        """(H, W) in 0..1: noise whose amplitude falls as 1/f^power."""
        wave = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
        wave[0, 0] = 1
        values = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((height, width))) / wave**power, s=(height, width))
        return (values - values.min()) / np.ptp(values)

    def picture(values: Any) -> Image.Image:
        return Image.fromarray((values * 255).round().astype(np.uint8))

    cover = clouds(200, 300, 1.6)[..., None]
    air = np.linspace([0.2, 0.4, 0.8], [0.8, 0.85, 0.9], 200)[:, None]  # (H, 1, 3)
    sky = air * (1 - cover) + cover * np.array([1.0, 0.98, 0.94]) * (0.7 + 0.3 * clouds(200, 300, 1.2)[..., None])
    picture(sky).save(folder / "sky.png")
    picture(sky).save(folder / "sky.jpg", quality=92)
    picture(np.stack([clouds(96, 128, 0.9) for _ in range(3)], -1)).save(folder / "guide.png")
    y, x = np.mgrid[-1:1:200j, -1:1:300j]
    picture(np.clip(1.5 - 2 * np.hypot(x, y), 0, 1)).save(folder / "mask.png")
    frames = [picture(sky[40 + n : 104 + n, 50 + 3 * n : 146 + 3 * n]) for n in range(6)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:], duration=80, loop=0)
    np.save(folder / "direction.npy", rng.standard_normal(112).astype(np.float32))
    np.save(folder / "four.npy", np.stack([clouds(48, 64, 1.2) for _ in range(4)]).astype(np.float32))
    (folder / "own.py").write_text(OWN_MODULE, "utf-8")
    torch.manual_seed(0)
    torch.save(runpy.run_path(str(folder / "own.py"))["network"]().state_dict(), folder / "own.pt")


# ── in a process of its own ──────────────────────────────────────────────────────────────────────────────────────────────


def work(job: Path) -> None:
    """Run the lines of a job with the code of one tree; write down how each ended, and the recipes of what came out."""
    asked = json.loads(job.read_text("utf-8"))
    import reverie
    from reverie.cli import run

    if not Path(reverie.__file__).resolve().is_relative_to(Path(asked["source"]).resolve()):
        sys.exit(f"{reverie.__file__} is not of {asked['source']}")

    def ended(arguments: list[str]) -> tuple[object, str, str]:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            try:
                run(arguments)
            except SystemExit as end:
                return end.code or 0, out.getvalue(), err.getvalue()
            except Exception as error:  # noqa: BLE001
                return type(error).__name__, "", str(error)
        return "none", "", "it returned"

    made = Made(Path(), {}, {}, {})
    for name, arguments, folder in asked["lines"]:
        Path(folder).mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        code, _, said = ended(arguments)
        made.seconds[name] = made.seconds.get(name, 0.0) + time.perf_counter() - began
        if code:
            made.failed[name] = f"exit code {code}: {' '.join(said.split())[-300:]}"
        if code == 130:  # Ctrl-C
            sys.exit(130)
    for name in made.seconds:
        for path in paths(Path(name)):
            code, out, _ = ended(["recipe", f"{name}/{path}", "--json"])
            if code == 0:
                made.recipes[f"{name}/{path}"] = json.loads(out)[0]["recipe"]
    job.with_suffix(".made").write_text(json.dumps(made[1:]), "utf-8")


def paths(folder: Path) -> list[str]:
    """Every file below, but for pages, whose words may change."""
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file() and each.suffix != ".html")


# ── two trees ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def made_by(tree: Path, folder: Path, lines: list[tuple[str, list[str], str]], cache: Path) -> Made:
    """Run lines with the code of a tree, in this folder."""
    print(f"{folder.name}: {len(lines)} lines", file=sys.stderr, flush=True)
    job = folder.with_suffix(".json")
    job.write_text(json.dumps({"source": str(tree / "src"), "lines": lines}), "utf-8")
    surroundings = {"PYTHONPATH": str(tree / "src"), "REVERIE_CACHE": str(cache), "HF_HUB_OFFLINE": "1", **WAITING}
    if code := subprocess.call([sys.executable, "-P", str(HERE), "--job", str(job)], cwd=folder, env=os.environ | surroundings):
        sys.exit(f"{folder.name}: the process ended with {code}")
    return Made(folder, *json.loads(job.with_suffix(".made").read_text("utf-8")))


def again(base: Made, shelf: dict[str, str]) -> tuple[list[tuple[str, list[str], str]], dict[str, list[str]]]:
    """The lines that redo all that the base made, and the files that should come of them, by name."""
    lines: list[tuple[str, list[str], str]] = []
    wanted: dict[str, list[str]] = {name: [] for name in shelf}
    for path, recipe in base.recipes.items():
        place = Path(path)
        if place.stem.endswith("-making"):  # a strip, with the recipe of its picture
            continue
        files = [each for each in (place, place.with_suffix(".npy")) if (base.folder / each).exists()]
        if recipe["command"] in ("journey", "film") and place.suffix == ".png":  # the first frame of a folder
            place = place.parent
            files = [place / each for each in paths(base.folder / place)]
        name = place.parts[0]
        wanted[name] += [str(each.relative_to(name)) for each in files]
        flags = shlex.split(OWN) if OWN in shelf[name] else []
        lines.append((name, ["redo", str(base.folder / path), "-o", str(place), "--quiet", *flags], str(place.parent)))
    return lines, wanted


@contextlib.contextmanager
def checked_out(root: Path, revision: str, folder: Path) -> Iterator[Path]:
    """A revision in a folder, for as long as it is needed."""
    git = ["git", "-C", str(root), "worktree"]
    try:
        if subprocess.run([*git, "add", "--detach", "--quiet", str(folder), revision]).returncode:
            sys.exit(2)
        yield folder
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # for git as well
        subprocess.run([*git, "remove", "--force", str(folder)], capture_output=True)


# ── beside each other ────────────────────────────────────────────────────────────────────────────────────────────────────


def digest(path: Path) -> str:
    """Of all that has to be the same: figures may differ in how long it took."""
    content = path.read_bytes()
    if path.suffix == ".json":
        content = repr(json.loads(content, object_pairs_hook=lambda pairs: [each for each in pairs if each[0] != "seconds"])).encode()
    return hashlib.sha256(content).hexdigest()


def differences(name: str, files: list[str], one: Made, other: Made) -> list[str]:
    """What is not the same of these files, and whether a line failed."""
    told = [f"{name}: {made.folder.name} failed, {made.failed[name]}" for made in (one, other) if name in made.failed]
    told += [] if files else [f"{name}: nothing to compare"]
    for path in (f"{name}/{each}" for each in files):
        places = [made.folder / path for made in (one, other)]
        missing = [made.folder.name for made, place in zip((one, other), places, strict=True) if not place.exists()]
        if missing:
            told.append(f"{path}: not there in {missing[0]}")
        elif digest(places[0]) != digest(places[1]):
            before, after = (dict(flat(made.recipes.get(path))) for made in (one, other))
            changed = [f"{key} {before.get(key)} → {after.get(key)}" for key in sorted(before | after) if before.get(key) != after.get(key)]
            by = apart(*places) if path.endswith(".png") else "other bytes"
            told.append(f"{path}: {by}" + (f"; recipe: {', '.join(changed) or 'the same'}" if path in one.recipes else ""))
    return told


def apart(one: Path, other: Path) -> str:
    """How far two pictures are apart."""
    with Image.open(one) as first, Image.open(other) as second:
        if (first.mode, first.size) != (second.mode, second.size):
            return f"{first.mode} {first.size} → {second.mode} {second.size}"
        by = np.abs(np.asarray(first).astype(int) - np.asarray(second).astype(int))
    return f"pixels differ by {by.max()} of 255 at most, {(by > 0).mean():.1%} of values do"


def flat(data: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The fields of a recipe, by dotted names."""
    if not isinstance(data, dict | list):
        yield name.lstrip("."), data
        return
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield from flat(value, f"{name}.{key}")


def replay(root: Path, revision: str, shelf: dict[str, str]) -> bool:
    """Print the table; whether all is the same."""
    began = time.perf_counter()
    lines = []
    for name, command in shelf.items():
        *words, output = shlex.split(command)
        lines.append((name, [*words, f"{name}/{output}", "--threads", "2", "--quiet"], name))
    with tempfile.TemporaryDirectory(prefix="reverie-replay-") as temporary, checked_out(root, revision, Path(temporary, "tree")) as tree:
        inputs, of_base, of_head, of_redo = (Path(temporary, each) for each in ("inputs", "base", "head", "redone"))
        write_inputs(inputs)
        base = made_by(tree, shutil.copytree(inputs, of_base), lines, Path(temporary, "cache"))
        head = made_by(root, shutil.copytree(inputs, of_head), lines, Path(temporary, "another"))
        lines, wanted = again(base, shelf)
        kept = shutil.ignore_patterns("[!o]*")  # all but own.py and own.pt is found in the cache
        redone = made_by(root, shutil.copytree(inputs, of_redo, ignore=kept), lines, Path(temporary, "cache"))
        print(f"{'name':<18} {'files':>5}  {'made':<9}  {'redone':<9}  {'base':>6} {'head':>6} {'redo':>6} s")
        faults = []
        for name in shelf:
            files = sorted({*paths(base.folder / name), *paths(head.folder / name)})
            told = differences(name, files, base, head), differences(name, wanted[name], base, redone)
            words = ["DIFFERENT" if each else "same" for each in told]
            seconds = " ".join(f"{each.seconds.get(name, 0.0):6.1f}" for each in (base, head, redone))
            print(f"{name:<18} {len(files):>5}  {words[0]:<9}  {words[1]:<9}  {seconds}")
            faults += [f"made {each}" for each in told[0]] + [f"redone {each}" for each in told[1]]
    print(*faults, f"{len(shelf)} lines, {len(faults)} differences from {revision}, {time.perf_counter() - began:.0f} s", sep="\n")
    return not faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=BASE, metavar="REV", help="the revision to compare with")
    parser.add_argument("--only", default=",".join(SHELF), metavar="NAME[,NAME…]", help="of " + ", ".join(SHELF))
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        return work(options.job)
    names = options.only.split(",")
    if unknown := [each for each in names if each not in SHELF]:
        parser.error(f"not on the shelf: {', '.join(unknown)}")
    root = subprocess.check_output(["git", "-C", str(HERE.parent), "rev-parse", "--show-toplevel"], text=True).strip()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(not replay(Path(root), options.base, {name: SHELF[name] for name in names}))
    sys.exit(130)


if __name__ == "__main__":
    main()
