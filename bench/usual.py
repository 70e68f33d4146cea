"""What is usual for each built-in network, measured: `python -m bench.usual` writes src/reverie/networks/measured/*.json.

Every photograph of bench/photographs.py is shown whole, its shorter side brought to the network's native size, and as five crops (middle
and corners) whose side is 60 % of its shorter side, brought to the native size, so that things come in several sizes.
Takes a minute or two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor

import reverie
from bench import photographs
from reverie.networks import Network, channel_statistics
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.pictures import resize

CROP = 0.6  # of the shorter side
SHOWN = "each whole, its shorter side at the native size, and as five crops of 60 % of its shorter side at the native size"
FOLDER = Path(channel_statistics.__file__).parent / "measured"


def views(pixels: Tensor, size: int) -> Iterator[Tensor]:
    """(3, H, W) → it whole (3, h, w) with shorter side `size`, and five crops (3, size, size)."""
    height, width = pixels.shape[1:]
    shorter = min(height, width)
    yield resize(pixels, round(height * size / shorter), round(width * size / shorter))
    side = round(CROP * shorter)
    below, beside = height - side, width - side
    for top, left in ((below // 2, beside // 2), (0, 0), (0, beside), (below, 0), (below, beside)):
        yield resize(pixels[:, top : top + side, left : left + side], size, size)


def blocks(network: Network) -> list[str]:
    return [layer.name for layer in network.layers if layer.kind == "block"]


def measured(network: Network, pictures: Mapping[str, Tensor], layers: list[str] | None = None) -> channel_statistics.Usual:
    """What is usual for these layers (all blocks) in these pictures, (3, H, W) each by name, shown as above."""
    shown = (view for pixels in pictures.values() for view in views(pixels, network.size[0]))
    name = f"{photographs.described(pictures)}; {SHOWN}"
    return channel_statistics.measure(network.prepare(layers or blocks(network)), shown, name)


def rounded(values: Tensor) -> list[float]:
    """To four digits, whole numbers without a point."""
    short = [float(f"{value:.4g}") for value in values.tolist()]
    return [int(value) if value == int(value) else value for value in short]


def main() -> None:
    pictures = photographs.statistics_set()
    FOLDER.mkdir(exist_ok=True)
    for name, facts in CATALOGUE.items():
        found = measured(reverie.load(name, device="cpu"), pictures)
        data = {
            "set": found.name,
            "photographs": list(pictures),
            "sha256": facts.sha256,
            "layers": {layer: {"mean": rounded(mean), "spread": rounded(spread)} for layer, (mean, spread) in found.layers.items()},
        }
        place = FOLDER / f"{name}.json"
        place.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"{place}: {len(found.layers)} layers, {place.stat().st_size / 1000:.0f} kB; {found.name}")


if __name__ == "__main__":
    main()
