"""Make the picture of docs/knobs.md anew, one dream for each row of its table: python examples/knobs.py [FOLDER]

All begin with the same photograph, which comes with scikit-learn, the usual preset and seed 0; each has what its caption says, and
nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from PIL import Image

import reverie
from pictures import PICTURES, packaged, sheet

START = "sklearn/datasets/images/china.jpg"
KNOBS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "wilder": {"strength": 0.03},
    "subtler": {"strength": 0.004},
    "longer": {"steps": 48},
    "bigger forms": {"octaves": 7},
    "smaller forms": {"octaves": 2},
    "broader": {"smoothing": 1.7},
    "finer": {"smoothing": 0.7},
    "more colour": {"vivid": 0.6},
    "less colour": {"vivid": 0.0},
    "its own colours": {"keep_colour": True},
    "more of the photograph": {"mix": 0.5},
    "calmer ground": {"focus": 1.5},
    "one subject": {"centre": 1.0},
    "smoother": {"total_variation": 0.5},
    "lines": {"level": "edges"},
    "patterns": {"level": "patterns"},
    "eyes": {"level": "parts"},
    "plants and halls": {"level": "scenes"},
    "another seed": {"seed": 1},
}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    start, net = packaged(START), reverie.load()
    made: list[tuple[str, Image.Image]] = [("the photograph", Image.open(start))]
    for caption, choices in KNOBS.items():
        made.append((caption, reverie.dream(start, network=net, width=320, keep=False, **choices).image))
        print(caption)
    sheet(made, 3, 256, folder / "knobs.jpg", quality=75)


if __name__ == "__main__":
    main()
