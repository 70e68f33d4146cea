"""Photographs that packages of PyPI carry, for measuring: `python -m bench.photographs` says which are here.

They are read where pip has put them and never copied into the repository; of the packages nothing is imported. Licences as the packages
state them; where a package says nothing of its pictures, it is the package's own.

| package           | photographs | pixels       | licence                                                                        |
| ----------------- | ----------- | ------------ | ------------------------------------------------------------------------------ |
| scikit-image 0.26 | 5           | 451 to 741   | public domain or CC0; motorcycle_left is Middlebury's, no licence is stated    |
| scikit-learn 1.9  | 2           | 640          | CC BY 2.0, danielbuechele and vultilion                                        |
| matplotlib 3.11   | 1           | 512          | matplotlib's, the package's; a portrait by the US Navy                         |
| foolbox 3.3.4     | 20          | 512 to 1024  | MIT, the package's; of 19 classes of ImageNet, who took them is not stated     |
| imgaug 0.4        | 1           | 960          | MIT, the package's                                                             |
| mezzanine 6.1     | 15 of 49    | 600 to 820   | BSD, the package's; towns, many tone-mapped: those without frames, least so    |
| ultralytics 8.4   | 2           | 1080 to 1280 | AGPL-3.0, the package's                                                        |

The last four come with `bench/photographs-requirements.txt`, into the environment or into .venv-photographs; the others with the dev tools
and the extra `insight`.
"""

from __future__ import annotations

import importlib.util
import io
import unicodedata
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from PIL import Image
from torch import Tensor

from reverie.pictures import as_tensor

FOLDER = Path(__file__).parents[1] / ".venv-photographs"
INSTALL = "pip install --no-deps --target .venv-photographs -r bench/photographs-requirements.txt"
GALLERY = "core/static/test/gallery.zip"
TOWNS = (
    *("Amsterdam, Holland", "Ávila, Spain", "Düsseldorf, Germany", "Geneva, Switzerland", "Lisbon, Portugal", "Marrakech, Morocco"),
    *("Naples, Italy", "Palermo, Italy", "Rome, Italy", "San Francisco, USA", "Stockholm, Sweden", "Sydney, Australia"),
    *("Venice, Italy", "Warsaw, Poland", "York, England"),
)
NUMBERED = {  # foolbox's: what is in the picture
    "boxer dog": "00_243", "deck chairs": "01_559", "beaker": "02_438", "buckeyes": "03_990", "strawberries": "04_949",
    "thatched cottage": "05_853", "jeep": "06_609", "car on rocks": "07_609", "yurts": "08_915", "bottle cap": "09_455",
    "drum": "10_541", "shoe": "11_630", "church window": "12_741", "cannon": "13_471", "birds on a wire": "14_129",
    "geese": "15_99", "dalmatian": "16_251", "eagle": "17_22", "leafhopper": "18_317", "beetle": "19_305",
}  # fmt: skip
FILES: dict[str, tuple[str, str, str]] = {  # name: (distribution, package, file in it)
    **{name: ("scikit-image", "skimage", f"data/{name}.png") for name in ("astronaut", "chelsea", "coffee", "motorcycle_left")},
    "rocket": ("scikit-image", "skimage", "data/rocket.jpg"),
    **{name: ("scikit-learn", "sklearn", f"datasets/images/{name}.jpg") for name in ("china", "flower")},
    "grace_hopper": ("matplotlib", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    **{name: ("foolbox", "foolbox", f"data/imagenet_{number}.jpg") for name, number in NUMBERED.items()},
    "quokka": ("imgaug", "imgaug", "quokka.jpg"),
    **{name: ("ultralytics", "ultralytics", f"assets/{name}.jpg") for name in ("bus", "zidane")},
    **{name: ("mezzanine", "mezzanine", f"{GALLERY}/{name}.jpg") for name in TOWNS},
}
BENCHMARK: dict[str, int] = {  # one clear subject, whose class lite0, lite1 and lite2 all put first
    "chelsea": 285,  # Egyptian cat
    "coffee": 967,  # espresso
    "boxer dog": 243,  # foolbox and the networks say bull mastiff
    "deck chairs": 559,  # folding chair
    "beaker": 438,
    "strawberries": 949,
    "thatched cottage": 853,  # thatch
    "jeep": 609,
    "yurts": 915,
    "bottle cap": 455,
    "drum": 541,
    "shoe": 630,  # Loafer
    "cannon": 471,
    "geese": 99,
    "dalmatian": 251,
    "eagle": 22,  # bald eagle
    "leafhopper": 317,
    "beetle": 305,  # dung beetle
}


def photograph(name: str) -> Tensor:
    """(3, H, W) float32 in 0..1, as large as it comes.

    Raises:
        FileNotFoundError: its package is not installed; says how to.
    """
    distribution, package, inner = FILES[name]
    folder = _folder(package)
    archive, _, member = inner.partition(".zip/")
    place = folder / (f"{archive}.zip" if member else inner) if folder else None
    if place is None or not place.is_file():
        raise FileNotFoundError(f"the photograph '{name}' of {distribution} is not here: {INSTALL}")
    if not member:
        return as_tensor(place)[:3]  # (3, H, W)
    with zipfile.ZipFile(place, metadata_encoding="utf-8") as packed:
        held = {unicodedata.normalize("NFC", each.filename): each for each in packed.infolist()}
        with Image.open(io.BytesIO(packed.read(held[member]))) as image:
            return as_tensor(image.convert("RGB"))[:3]  # (3, H, W)


def here(names: Iterable[str] = FILES) -> list[str]:
    """Those of these photographs whose packages are installed."""
    return [name for name in names if _folder(FILES[name][1]) is not None]


def statistics_set() -> dict[str, Tensor]:
    """All of them, by name: (3, H, W) float32 in 0..1 each, of any size. FileNotFoundError where a package is missing."""
    return {name: photograph(name) for name in FILES}


def benchmark_set() -> dict[str, Tensor]:
    """Those with one clear subject, by name: (3, H, W) float32 in 0..1 each; the subject's class is in BENCHMARK."""
    return {name: photograph(name) for name in BENCHMARK}


def described(names: Iterable[str]) -> str:
    """Such as: 5 photographs of scikit-image 0.26.0, 2 of scikit-learn 1.9.1."""
    counts: dict[str, int] = {}
    for name in names:
        counts[FILES[name][0]] = counts.get(FILES[name][0], 0) + 1
    parts = [f"{count} of {distribution} {_version(distribution)}" for distribution, count in counts.items()]
    return f"{sum(counts.values())} photographs: {', '.join(parts)}"


def _folder(package: str) -> Path | None:
    """Where a package lies, which is not imported; None if it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent
    return FOLDER / package if (FOLDER / package).is_dir() else None


def _version(distribution: str) -> str:
    found = next(iter(metadata.distributions(name=distribution, path=[str(FOLDER)])), None)
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return found.version if found is not None else "of an unknown version"


if __name__ == "__main__":
    print(described(here()))
    if missing := sorted(set(FILES) - set(here())):
        print(f"missing: {', '.join(missing)}; {INSTALL}")
