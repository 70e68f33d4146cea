"""What photographs score, so that pictures can be held against them: python -m bench.scores --write keeps it in the package.

Photographs are those of bench/photographs.py, whole. Of each built-in network: what each layer, each channel of the layers with a level and
each class scores on every one of them, its shorter side at the network's native size. Of light, colours and spectrum: mean and covariance.
Then what photographs (each against all the others), noise, flat fields, gradients, text, textures, dreams and class pictures score.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

import reverie
from bench import photographs
from bench.floor import processor
from bench.reject_pictures import unknown
from reverie.judging.observers import asked
from reverie.judging.scores import naturalness, rise
from reverie.networks import Network
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.pictures import Picture
from reverie.target import CLASSES

PLACE = Path(rise.__file__).parent / "measured"


def scored(network: Network, pictures: Sequence[Tensor]) -> dict[str, Tensor]:
    """What `rise.measured` reads, float16."""
    levels = set(network.levels.values())
    usual = network.usual()
    assert usual is not None
    layers = list(usual.layers)
    ready = network.prepare([*layers, CLASSES])
    rows: dict[str, list[Tensor]] = {}
    for pixels in pictures:
        with torch.no_grad():
            seen = ready(rise.at_native_size(pixels, network)[None])
        rows.setdefault(CLASSES, []).append(seen[CLASSES][0])
        for layer in layers:
            rows.setdefault(layer, []).append(seen[layer][0].square().mean())
            if layer in levels:
                rows.setdefault(f"{layer}:", []).append(seen[layer][0].mean((1, 2)))
    return {name: torch.stack(each).half() for name, each in rows.items()}


def usual_of(measures: Tensor) -> dict[str, Any]:
    """(P, M) → what `naturalness.compared` is handed."""
    return {"mean": measures.mean(0).tolist(), "covariance": torch.cov(measures.T).tolist()}


def apart(measures: Tensor) -> list[dict[str, float]]:
    """What each photograph scores against all the others."""
    rows = torch.arange(len(measures))
    return [naturalness.compared(row.tolist(), usual_of(measures[rows != place])) for place, row in enumerate(measures)]


def span(values: Sequence[float]) -> str:
    """Median, and the bounds of the middle 80 %."""
    low, middle, high = torch.tensor(values, dtype=torch.float64).quantile(torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)).tolist()
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def agreements(networks: Sequence[Network], pictures: Sequence[Tensor]) -> list[float]:
    """Of two networks that are asked about each."""
    return [asked("", Picture(each), networks, top=1).agreement or 0.0 for each in pictures]


def table(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> list[str]:
    """A row for each set of pictures: of each score the median and the middle 80 %."""
    names = list(next(iter(rows.values()))[0])
    lines = ["| pictures | " + " | ".join(names) + " |", "| --- " * (len(names) + 1) + "|"]
    for which, found in rows.items():
        lines.append(f"| {which} ({len(found)}) | " + " | ".join(span([each[name] for each in found]) for name in names) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="where dreams and class pictures are kept, and taken from")
    parser.add_argument("--write", action="store_true", help=f"write what photographs score to {PLACE}, and stop")
    options = parser.parse_args()
    torch.set_num_threads(1)
    shown = photographs.statistics_set()
    measures = torch.tensor([naturalness.measures(each) for each in shown.values()], dtype=torch.float64)
    if options.write:
        PLACE.mkdir(exist_ok=True)
        data = {"set": photographs.described(shown), "photographs": list(shown), "measures": list(naturalness.MEASURES)}
        (PLACE / "natural.json").write_text(json.dumps({**data, **usual_of(measures)}, ensure_ascii=False, indent=1) + "\n", "utf-8")
        for name, facts in CATALOGUE.items():
            found = scored(reverie.load(name, device="cpu"), list(shown.values()))
            said = {"sha256": facts.sha256, "set": data["set"]}
            (PLACE / f"{name}.safetensors").write_bytes(save(found, {each: str(value) for each, value in said.items()}))
        return
    print(f"{processor()}, {platform.system()}, torch {torch.__version__}; {photographs.described(shown)}")
    print("the median, in brackets the middle 80 %; dreams and class pictures are of lite0, and agreement is that of lite1 and lite2")
    networks = [reverie.load(name, device="cpu") for name in list(CATALOGUE)[1:]]
    sets = {"photographs, each against the others": (list(shown.values()), apart(measures))}
    for which, pictures in unknown(options.pictures).items():
        sets[which] = pictures, [naturalness.natural(each) for each in pictures]
    rows = {
        which: [{**each, "agreement": agreed} for each, agreed in zip(found, agreements(networks, pictures), strict=True)]
        for which, (pictures, found) in sets.items()
    }
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
