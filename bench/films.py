"""Whether dreamt films flicker: python -m bench.films [--clip VIDEO] [--level parts] [--long]

Rendered clips with known motion (tests/clips.py), and a film of one's own, dreamt frame by frame anew and carried along. `--long` adds 300
frames of a pan, for the light. Debian's package opencv-doc has a film of people in a street (vtest.avi).
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import reverie
from reverie.files.films.reading import frames
from reverie.motion.film_frames import Cinema, flicker
from reverie.motion.optical_flow import carried
from reverie.networks import Network
from reverie.pictures import quantise, resize
from reverie.recipe import FileInput, Film, Recipe, of_command
from reverie.render import machine, threads, used_by
from reverie.target import parse

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.helpers import clips

SIZE = (180, 320)
Pictures = list[np.ndarray[Any, Any]]


def recipe_of(net: Network, level: str, size: tuple[int, int], steady: float, count: int) -> Recipe:
    target = parse(net.level(level))
    return Recipe(
        command="film", networks=(used_by(net, target, target),), inputs=(FileInput(role="film", sha256="0" * 64, width=1, height=1),),
        target=target, **of_command("film")._asdict(), width=size[1], height=size[0], film=Film(steady=steady),
        machine=machine(net, count),
    )  # fmt: skip


def dreamt(cinema: Cinema, sources: Pictures) -> tuple[Pictures, float]:
    """The film, each frame read back with eight bits as from disk; and seconds a frame, but the first, which is dreamt anew."""
    out: Pictures = []
    began = time.perf_counter()
    for number, source in enumerate(sources):
        last, dream = (sources[number - 1], picture(out[-1])) if number else (None, None)
        out.append(quantise(cinema.make(number, source, last, dream)))
        began = time.perf_counter() if number == 0 else began
    return out, (time.perf_counter() - began) / max(1, len(sources) - 1)


def picture(frame: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(frame.astype(np.float32) / 255).permute(2, 0, 1)


def light(frames: Pictures) -> np.ndarray[Any, Any]:
    return np.array([each.mean() for each in frames])


def rendered(count: int) -> dict[str, clips.Clip]:
    coffee, cat, astronaut = (
        clips.photograph(name, *size) for name, size in (("coffee", (360, 640)), ("chelsea", SIZE), ("astronaut", (300, 500)))
    )
    return {
        "pan": clips.pan(count, *SIZE, speed=(3.3, 1.4), world=coffee),
        "zoom": clips.zoom(count, *SIZE, rate=1.015, world=astronaut),
        "occlusion": clips.occlusion(count, *SIZE, ground=(1.3, 0), world=coffee, thing=cat),
        "cut": clips.cut(count, *SIZE),
    }


def filmed(place: Path, count: int) -> clips.Clip:
    """A film of one's own, at 320 pixels; its motion is what the flow says, and is trusted where it comes home."""
    sources: Pictures = []
    with frames(place) as decoded:
        for frame in decoded:
            high = 2 * round(frame.shape[0] * SIZE[1] / frame.shape[1] / 2)
            sources.append(quantise(resize(torch.from_numpy(frame).permute(2, 0, 1).float() / 255, high, SIZE[1])))
            if len(sources) == count:
                break
    ways = [carried(new, last) for last, new in pairwise(sources)]
    still = np.zeros((*sources[0].shape[:2], 2), np.float32)
    return clips.Clip(sources, [still, *(way.flow for way in ways)], [still[..., 0] == 0, *(way.trust <= 0.9 for way in ways)])


def row(name: str, clip: clips.Clip, net: Network, level: str, count: int) -> None:
    seen = [~each for each in clip.hidden]
    size = clip.frames[0].shape[:2]
    figures = []
    with threads(count):
        for steady in (0.0, Film().steady):
            cinema = Cinema(recipe_of(net, level, (size[0], size[1]), steady, count), [net])
            film, seconds = dreamt(cinema, clip.frames)
            score = float(np.mean([cinema.dreamer.score(picture(each)) for each in film]))
            drift = float(np.abs(light(film) / light(clip.frames) - 1).max())
            figures.append((flicker(film, clip.flows, seen), score, drift, seconds))
    anew, ours = figures
    cells = [
        f"{anew[0]:.1f}", f"{ours[0]:.1f}", f"{ours[0] / anew[0]:.2f}", f"{ours[1] / anew[1]:.2f}", f"{100 * ours[2]:.2f} %",
        f"{anew[3]:.2f}", f"{ours[3]:.2f}",
    ]  # fmt: skip
    print(f"| {name}, {len(clip.frames)} frames | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--level", default="parts")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--long", action="store_true")
    given = parser.parse_args()
    net = reverie.load()
    print(f"{given.level}, {SIZE[1]}×{SIZE[0]}, {given.threads} threads; flicker in levels of 255 where the motion is known\n")
    print("| clip | flicker anew | carried | ratio | score, carried by anew | light, at most off | s a frame anew | carried |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, clip in rendered(given.frames).items():
        row(name, clip, net, given.level, given.threads)
    if given.clip is not None:
        row(given.clip.name, filmed(given.clip, given.frames), net, given.level, given.threads)
    if given.long:
        clip = clips.pan(300, 90, 160, speed=(1.3, 0.4), world=clips.photograph("coffee", 360, 640))
        with threads(given.threads):
            film, _ = dreamt(Cinema(recipe_of(net, given.level, (90, 160), Film().steady, given.threads), [net]), clip.frames)
        off = light(film) / light(clip.frames) - 1
        print(f"\nlight over 300 frames of a pan at 160×90: {100 * off.min():+.2f} to {100 * off.max():+.2f} %")


if __name__ == "__main__":
    main()
