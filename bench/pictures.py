"""Pictures of classes, ours and the peers', judged by networks that did not make them: python -m bench.pictures [--peers PYTHON]

Each program makes a picture of each class from lite0 at 224 px with its own defaults (but the numbers of steps that the table gives), all
with seed 0, eight classes in turn so that a busy moment of the machine falls on all alike. Only when a picture is final and rounded to
8 bits does lite1, and does lite2, say what it shows: their opinions choose nothing, stop nothing, repeat nothing. What they see in all
pictures of a program is also compared with what they see in photographs (`distance`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import reverie
from bench.floor import processor
from bench.looks import DEPTHS, interval, looks, spectrum
from bench.photographs import described, here, photograph
from bench.spectrum import photographs, square
from reverie.networks import Network
from reverie.pictures import contact_sheet, quantise, resize, rounded
from reverie.recipe import LookName

CLASSES = (  # a living thing, a plant, a dish, a vehicle, a building, an instrument, a household thing, a landscape; three times
    *((340, "zebra"), (986, "yellow lady's slipper"), (953, "pineapple"), (820, "steam locomotive")),
    *((668, "mosque"), (579, "grand piano"), (849, "teapot"), (973, "coral reef")),
    *((84, "peacock"), (992, "agaric"), (933, "cheeseburger"), (404, "airliner")),
    *((425, "barn"), (889, "violin"), (409, "analog clock"), (970, "alp")),
    *((107, "jellyfish"), (984, "rapeseed"), (932, "pretzel"), (779, "school bus")),
    *((839, "suspension bridge"), (776, "sax"), (765, "rocking chair"), (974, "geyser")),
)
SIZE, SEED, BATCH = 224, 0, 8
JUDGES = ("efficientnet-lite1", "efficientnet-lite2")
OURS: dict[str, LookName] = {"emblem": "emblem", "natural": "natural"}  # by the names of the rows
LUCENT, DREAMS, HORAMA = PEER_PROGRAMS = ("torch-lucent", "torch-dreams", "horama")
PROGRAMS = (*OURS, *PEER_PROGRAMS)
ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-peers" / ("Scripts" if os.name == "nt" else "bin") / "python"
HORAMA_CANVAS, HORAMA_CROP = 1280, 0.30  # its default canvas, and the largest share of its side that it shows the network at a time
HORAMA_COLOURS = (  # (decorrelated, RGB), from horama/common.py
    (0.56282854, 0.58447580, 0.58447580),
    (0.19482528, 0.0, -0.19482528),
    (0.04329450, -0.10823626, 0.06494176),
)


@dataclass(frozen=True)
class Made:
    """A picture of a class, as it came from a program, 8 bits a colour."""

    number: int
    pixels: Tensor  # (3, H, W) float32 in 0..1
    seconds: float
    recipe: Any = None


@dataclass
class Program:
    """What a program made, and what the table says of it."""

    title: str
    made: list[Made] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    whole: float | None = None  # seconds of the calls, where they do more than the pictures' own seconds tell
    failed: bool = False


def ours(preset: LookName, classes: Sequence[tuple[int, str]], options: argparse.Namespace, program: Program) -> None:
    began = time.perf_counter()
    pictures = reverie.imagine([name for _, name in classes], seed=options.seed, size=options.size, preset=preset)
    took = time.perf_counter() - began
    program.whole = (program.whole or 0) + took
    for (number, _), picture in zip(classes, pictures, strict=True):
        recipe = None if picture.recipe is None else picture.recipe.model_dump(mode="json")
        seconds = took / len(classes) if picture.seconds is None else picture.seconds
        program.made.append(Made(number, rounded(picture.pixels.float().cpu()), seconds, recipe))


def peer(name: str, classes: Sequence[tuple[int, str]], steps: int | None, python: str, folder: Path, program: Program) -> None:
    """What the peer makes of these classes, in a process of its own; where it cannot, the reason goes to stderr and into the notes."""
    numbers = [number for number, _ in classes]
    command = [python, "-m", "bench.class_peers", name, "--folder", str(folder), "--seed", str(SEED)]
    command += ["--threads", str(torch.get_num_threads()), "--classes", *map(str, numbers)]
    command += [] if steps is None else ["--steps", str(steps)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
    answer: dict[str, Any] = {"error": (child.stderr.strip() or "no reason given").splitlines()[-1]}
    if child.returncode == 0:
        answer = json.loads(child.stdout)
    if "error" in answer:
        program.failed = True
        program.notes.append(f"not run to the end here: {answer['error']}")
        print(f"{name}: {answer['error']}", file=sys.stderr)
        return
    own = "its default" if answer["steps"] == answer["default_steps"] else f"its default is {answer['default_steps']}"
    program.title = f"{name} {answer['version']}, {answer['steps']} steps ({own})"
    program.notes = answer["notes"]
    for number in numbers:
        with Image.open(folder / f"{number}.png") as image:
            pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255  # (3, H, W)
        program.made.append(Made(number, pixels, answer["seconds"][str(number)]))


def make_all(names: Sequence[str], options: argparse.Namespace) -> dict[str, Program]:
    """Every program's pictures, made in turn, a batch of classes at a time."""
    steps = {LUCENT: options.lucent_steps, DREAMS: options.dreams_steps, HORAMA: options.horama_steps}
    counts = dict.fromkeys(names, options.classes) | {HORAMA: min(options.classes, options.horama_classes)}
    programs = {name: Program(f"ours, {name}" if name in OURS else name) for name in names}
    with tempfile.TemporaryDirectory() as place:
        if HORAMA in names:
            np.save(Path(place) / "stand-in.npy", horama_spectrum())
        for first in range(0, options.classes, BATCH):
            for name, program in programs.items():
                classes = CLASSES[first : min(first + BATCH, counts[name])]
                if not classes or program.failed:
                    continue
                print(f"{name}: {first + 1} to {first + len(classes)} of {counts[name]}", file=sys.stderr)
                if name in OURS:
                    ours(OURS[name], classes, options, program)
                else:
                    peer(name, classes, steps[name], options.peers, Path(place), program)
    return programs


def at_size(name: str, program: Program) -> dict[str, Program]:
    """As they are judged, at 224 px: larger pictures whole, and of horama's in a row of their own the middle of them."""
    if all(each.pixels.shape[1:] == (SIZE, SIZE) for each in program.made):
        return {"": program}

    def cut(each: Made, share: float) -> Made:
        height, width = each.pixels.shape[1:]
        side = round(share * min(height, width))
        top, left = (height - side) // 2, (width - side) // 2
        middle = each.pixels[:, top : top + side, left : left + side]
        return Made(each.number, rounded(resize(middle, SIZE, SIZE)), each.seconds)

    wide = program.made[0].pixels.shape[2]
    whole = Program(f"{program.title}, its {wide} px brought to {SIZE}", [cut(each, 1) for each in program.made], program.notes)
    if name != HORAMA:
        return {"": whole}
    part = round(HORAMA_CROP * wide)
    middle = Program(f"… the middle {part} px of them, the most that it shows lite0 at a time", [cut(e, HORAMA_CROP) for e in program.made])
    return {"": whole, "-middle": middle}


def judge(judges: dict[str, Network], made: Made) -> dict[str, Any]:
    """What the judges say of a picture, and its slope."""
    says: dict[str, Any] = {}
    for name, network in judges.items():
        labels = network.recognise(made.pixels, top=len(network.labels))
        says[name] = {
            "first": labels[0].index == made.number,
            "probability": next(each.probability for each in labels if each.index == made.number),
            "labels": [{"index": e.index, "label": e.label, "probability": e.probability} for e in labels[:5]],
        }
    return {"judges": says, **looks(judges, made.pixels), "seconds": made.seconds, "recipe": made.recipe}


def photographs_at_size() -> dict[str, Tensor]:
    """(3, 224, 224) each."""
    return {name: rounded(resize(each.float(), SIZE, SIZE)) for name, each in photographs().items()}


def horama_spectrum() -> np.ndarray[Any, Any]:
    """(3, 1280, 641) magnitudes of the waves of its decorrelated colours: power laws fitted to photographs, for want of its own."""
    inverse = torch.linalg.inv(torch.tensor(HORAMA_COLOURS, dtype=torch.float64))
    planes = [torch.einsum("chw,cd->dhw", each.double(), inverse) for each in photographs_at_size().values()]
    lines = torch.tensor([[spectrum(plane) for plane in each] for each in planes]).mean(0)  # (3, 2): slope and start
    down = torch.fft.fftfreq(HORAMA_CANVAS) * HORAMA_CANVAS
    along = torch.fft.rfftfreq(HORAMA_CANVAS) * HORAMA_CANVAS
    wave = torch.hypot(down[:, None], along[None]).clamp_min(1)  # (1280, 641)
    magnitude = ((lines[:, 1, None, None] + lines[:, 0, None, None] * wave.log()) / 2).exp()  # (3, 1280, 641)
    magnitude[:, 0, 0] = 0  # its mean is set elsewhere
    return np.asarray(magnitude.float().numpy())


def spread(values: Sequence[float], digits: int) -> str:
    """The median; in brackets the least and the most."""
    if not values:
        return ""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})".replace("-", "−")


def row(title: str, judged: Sequence[dict[str, Any]], shown: Sequence[dict[str, Any]]) -> list[str]:
    """A row of the table; `shown` is what there is to say of photographs."""
    says = [[each["judges"][name] for each in judged] for name in JUDGES]
    first = [[each["first"] for each in one] for one in says]
    both = [all(pair) for pair in zip(*first, strict=True)]
    return [
        title,
        str(len(judged)),
        *(f"{100 * statistics.mean(one):.0f} %" for one in (*first, both)),
        ", ".join(f"{statistics.mean(each['probability'] for each in one):.2f}" for one in says),
        spread([each["seconds"] for each in judged], 1),
        *appearance(judged, shown),
    ]


def appearance(judged: Sequence[dict[str, Any]], shown: Sequence[dict[str, Any]]) -> list[str]:
    """The last cells of a row: distances to what these photographs show, slope, contrast and colour."""
    slopes = [each["slope"] for each in judged if each["slope"] is not None]
    away = []
    for depth in DEPTHS:
        found = []
        for name in JUDGES:
            ours, theirs = (torch.tensor([each["features"][name][depth] for each in one], dtype=torch.float64) for one in (judged, shown))
            least, middle, most = interval(ours, theirs)
            found.append(f"{middle:.1f} ({least:.1f} to {most:.1f})".replace("-", "−"))
        away.append(", ".join(found))
    return [*away, spread(slopes, 2), *(f"{statistics.median(each[name] for each in judged):.2f}" for name in ("contrast", "colour"))]


def report(programs: dict[str, Program], judges: dict[str, Network], sheets: Path | None) -> dict[str, Any]:
    """Print the table and its notes, write the sheets, and give all of it as data."""
    head = ["lite0, 224×224", "pictures", "first for lite1", "for lite2", "for both", "probability (lite1, lite2)", "seconds each"]
    head += [*(f"distance to photographs at `{depth}` (lite1, lite2)" for depth in DEPTHS), "slope", "contrast", "colour"]
    print(f"\n### Pictures of classes\n\n| {' | '.join(head)} |\n| --- |{' ---: |' * (len(head) - 1)}")
    found: dict[str, Any] = {"classes": dict(CLASSES), "size": SIZE, "programs": {}}
    found["photographs"] = described(here())
    photos = [looks(judges, rounded(resize(square(photograph(name)), SIZE, SIZE))) for name in here()]
    notes = [f"photographs: {found['photographs']}; the middle square of each"]
    for name, program in programs.items():
        notes += [f"{name}: {note}" for note in program.notes]
        if not program.made:
            continue
        for view, shown in at_size(name, program).items():
            judged = [judge(judges, each) for each in shown.made]
            print(f"| {' | '.join(row(shown.title, judged, photos))} |")
            pictures = {
                str(each.number): {"label": dict(CLASSES)[each.number], **said} for each, said in zip(shown.made, judged, strict=True)
            }
            found["programs"][name + view] = {"title": shown.title, "whole": program.whole, "notes": program.notes, "pictures": pictures}
            if sheets is not None:
                labels = [each["label"] for each in pictures.values()]
                page = contact_sheet([each.pixels for each in shown.made], labels, side=SIZE, title=shown.title)  # (3, H, W)
                Image.fromarray(quantise(page)).save(sheets / f"{name}{view}.png")
    print(f"| photographs, one half against the other | {len(photos)} |{' |' * 5} {' | '.join(appearance(photos[::2], photos[1::2]))} |")
    for name in OURS:
        if name in programs and programs[name].made:
            mine = programs[name]
            notes.append(
                f"ours, {name}: in batches of up to {BATCH}, the seconds a picture's share; the calls took "
                f"{(mine.whole or 0) / len(mine.made):.1f} s a picture with everything, opening the networks included"
            )
    print("\nSeconds, distances and slopes are medians; the least and the most in brackets.\n" + "\n".join(f"- {note}." for note in notes))
    return found


def whole(least: int, most: int) -> Any:
    """For argparse: a whole number between these."""

    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{number} is not within {least} to {most}")
        return number

    return read


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pictures")
    some = whole(1, len(CLASSES))
    parser.add_argument("--peers", metavar="PYTHON", default=str(PEERS), help="the interpreter of the environment with the peers")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS), metavar="PROGRAM", help=", ".join(PROGRAMS))
    parser.add_argument("--classes", type=some, default=len(CLASSES), metavar="N", help="the first N of the classes")
    parser.add_argument("--horama-classes", type=some, default=4, metavar="N", help="the first N for horama, which is slow")
    parser.add_argument("--seed", type=whole(0, 2**31), default=SEED, metavar="N", help="of ours")
    parser.add_argument("--size", type=whole(64, 2048), default=SIZE, metavar="N", help="of ours, in pixels; judged at 224")
    parser.add_argument("--lucent-steps", type=whole(1, 100_000), default=256, metavar="N")
    parser.add_argument("--dreams-steps", type=whole(1, 100_000), default=None, metavar="N", help="its own default without this")
    parser.add_argument("--horama-steps", type=whole(1, 100_000), default=128, metavar="N")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every class's result there")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="write a sheet of each program's pictures there")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # all of them on the processor
    names = [name for name in PROGRAMS if name in options.only]
    if not set(names) <= {*OURS} and not Path(options.peers).is_file():
        print("The peers' environment is missing (make .venv-peers/installed makes it): ours alone.", file=sys.stderr)
        names = [name for name in names if name in OURS]
        if not names:
            raise SystemExit(1)
    for place in (options.sheet, options.json and options.json.parent):
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
    judges = {name: reverie.load(name, device="cpu") for name in JUDGES}
    check(judges[JUDGES[0]])
    machine = f"{platform.machine()}, {processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    load = f", load before {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{machine}, {options.classes} class{'' if options.classes == 1 else 'es'}, seed {options.seed}{load}.")
    found = report(make_all(names, options), judges, options.sheet)
    if options.json is not None:
        options.json.write_text(json.dumps({"machine": machine, **found}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def check(network: Network) -> None:
    """The names are those of the numbers, so that all make the same classes."""
    for number, name in CLASSES:
        if network.class_index(name) != number:
            raise SystemExit(f"class {number} is not '{name}'")


if __name__ == "__main__":
    main()
