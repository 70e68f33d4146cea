"""Networks of one's own, by default: python -m bench.own [--seeds 3] [--only WORD]

Small networks are trained within seconds (see bench/own_networks.py). Of each, by what `imagine` and `feature` do where nothing is said:
of the class pictures, how many the very network they were climbed on calls their class; of the feature pictures of a middle layer, how many
excite their unit more (in the mean over places) than the best of all its training pictures does. Units that no training picture excites
more than another are no living ones, and left out. All pictures are judged as their files are: rounded to 8 bits.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import torch
from torch import Tensor

import reverie
from bench.own_networks import NETWORKS, Own
from reverie.pictures import rounded
from reverie.pictures.loading import evenly

MOST_UNITS = 24


class Outcome(NamedTuple):
    """Shares of pictures, and the median of activation by the best of training."""

    classes: float
    units: float
    median: float
    wrong: list[str]


def pieces(pictures: Tensor) -> list[Tensor]:
    """(N, C, H, W) → at most 128 of them each."""
    return [pictures[first : first + 128] for first in range(0, len(pictures), 128)]


def living(own: Own) -> tuple[list[int], Tensor]:
    """The units of its layer that answer to training pictures, evenly taken, and the best mean activation of each: (C,)."""
    prepared = own.network.prepare([own.layer])
    with torch.no_grad():
        seen = torch.cat([prepared(batch)[own.layer].flatten(2).mean(2) for batch in pieces(own.train)])  # (N, C)
    found = [unit for unit in range(seen.shape[1]) if seen[:, unit].amax() - seen[:, unit].amin() > 1e-6 and seen[:, unit].amax() > 0]
    return evenly(found, MOST_UNITS), seen.amax(0)


def outcome(own: Own, seeds: int) -> Outcome:
    """Of all seeds together."""
    network, (units, best) = own.network, living(own)
    prepared = network.prepare([own.layer])
    right, ratios, wrong = 0, [], []
    for seed in range(seeds):
        for index, picture in enumerate(reverie.imagine(list(range(own.classes)), network=network, seed=seed)):
            with torch.no_grad():
                said = int(network(rounded(picture.pixels)[None]).argmax())
            right += said == index
            wrong += [f"{network.labels[index][0]} (seed {seed}) is {network.labels[said][0]}"] * (said != index)
        for unit, picture in zip(
            units, reverie.feature([f"{own.layer}:{unit}" for unit in units], network=network, seed=seed), strict=True
        ):
            with torch.no_grad():
                found = prepared(rounded(picture.pixels)[None])[own.layer][0, unit].mean()
            ratios.append(float(found / best[unit]))
    above = sum(each > 1 for each in ratios) / len(ratios)
    return Outcome(right / (own.classes * seeds), above, sorted(ratios)[len(ratios) // 2], wrong)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    print("| network | accuracy | own class | features above the best of training | median of their ratio | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for name, make in NETWORKS.items():
        if given.only in name:
            began = time.monotonic()
            own = make()
            found = outcome(own, given.seeds)
            seconds = time.monotonic() - began
            print(
                f"| {name} | {own.accuracy:.1%} | {found.classes:.0%} | {found.units:.0%} | {found.median:.1f} | {seconds:.0f} |",
                flush=True,
            )
            for each in found.wrong:
                print(f"  {each}", flush=True)


if __name__ == "__main__":
    main()
