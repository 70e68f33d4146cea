"""Whether a network can tell what it knows from what it does not: python -m bench.reject prints methods × networks × sets.

Known are photographs in which a person sees one of the thousand classes, said before any network was asked; near are photographs in which
nobody does; where it is not plain a photograph is in neither. Each is looked at once, whole, as `recognise` looks at it. What is far is
made here: noise, flat fields, gradients, text, textures, dreams and class pictures. Methods that learn from photographs learn from the
known ones, whole and in five crops each, but never from the photograph that is judged.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import reverie
from bench.floor import processor
from bench.reject_pictures import known, unknown
from bench.usual import views
from reverie.networks import Network, channel_statistics, rejector
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.norm_statistics import remembered
from reverie.pictures import resize
from reverie.target import CLASSES

METHOD = "GEN + norms"  # which the rejector uses
DRAWS = 2000  # of the bootstrap
PLACE = Path(channel_statistics.__file__).parent / "measured" / "rejector.json"


@dataclass(frozen=True)
class Seen:
    """What a network makes of pictures: class scores (N, K), features before its last layer (N, F), how unusual they are to it (N,)."""

    logits: Tensor
    features: Tensor
    unusual: Tensor


# what networks make of them


def look(network: Network, pictures: Sequence[Tensor]) -> Seen:
    """Each (3, H, W) whole, as `recognise` looks at it."""
    usual = remembered(network, [CLASSES])
    ready = network.prepare([*usual, "act2", CLASSES])
    rows: list[tuple[Tensor, Tensor, Tensor]] = []
    with torch.no_grad():
        for pixels in pictures:
            seen = ready(resize(pixels, *network.size)[None])
            rows.append((seen[CLASSES][0], seen["act2"].mean((2, 3))[0], rejector.unusual(seen, usual)[0]))
    logits, features, unusual = (torch.stack([row[part] for row in rows]).double() for part in range(3))
    return Seen(logits, features, unusual)


# the methods: each gives a score that is higher for what is known


def plain(seen: Seen) -> dict[str, Tensor]:
    """Of those that need no photographs, (N,) each."""
    return {
        "probability": seen.logits.softmax(1).max(1).values,  # Hendrycks & Gimpel, ICLR 2017
        "logit": seen.logits.max(1).values,  # Hendrycks et al., ICML 2022
        "energy": seen.logits.logsumexp(1),  # Liu et al., NeurIPS 2020
        "GEN": rejector.generalised_entropy(seen.logits.softmax(1)),
        "norms": -seen.unusual,
    }


def both(seen: Seen) -> Tensor:
    """(N, 2): what `GEN + norms` is made of."""
    scores = plain(seen)
    return torch.stack([scores["GEN"], scores["norms"]], 1)


def nearest(features: Tensor, bank: Tensor, k: int = 5) -> Tensor:
    """(N,): minus the distance to the k-th nearest of the bank, all of length 1: Sun et al., ICML 2022."""
    one, other = (torch.nn.functional.normalize(each, dim=1) for each in (features, bank))
    found: Tensor = torch.cdist(one, other).topk(k, largest=False).values[:, -1]
    return -found


@dataclass(frozen=True)
class VirtualLogit:
    """ViM, Wang et al., CVPR 2022: energy minus the scaled length of what lies outside the main directions of a bank of photographs."""

    origin: Tensor  # (F,)
    outside: Tensor  # (F, F - dimensions)
    scale: float

    @classmethod
    def of(cls, bank: Seen, classifier: Any, dimensions: int = 64) -> VirtualLogit:
        weight, bias = classifier.weight.detach().double(), classifier.bias.detach().double()
        origin = -torch.linalg.pinv(weight) @ bias
        there = bank.features - origin
        outside = torch.linalg.eigh(there.T @ there)[1][:, :-dimensions]  # the weakest first
        return cls(origin, outside, float(bank.logits.max(1).values.mean() / (there @ outside).norm(dim=1).mean()))

    def __call__(self, seen: Seen) -> Tensor:
        """(N,)."""
        found: Tensor = seen.logits.logsumexp(1) - self.scale * ((seen.features - self.origin) @ self.outside).norm(dim=1)
        return found


# figures


def auroc(known: Tensor, unknown: Tensor) -> float:
    """How often a known scores above an unknown one, equal ones half."""
    beside = known[:, None] - unknown[None]
    return float(((beside > 0).double() + 0.5 * (beside == 0).double()).mean())


def false_positives(known: Tensor, unknown: Tensor) -> float:
    """The part of the unknown that passes where 95 % of the known do."""
    return float((unknown >= rejector.threshold_of(known.tolist())).double().mean())


def intervals(known: Tensor, unknown: Tensor) -> dict[str, tuple[float, float]]:
    """Of both, the bounds of 95 % of draws of photographs and pictures with replacement."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(DRAWS):
        one, other = (each[torch.randint(len(each), (len(each),), generator=generator)] for each in (known, unknown))
        found.append((auroc(one, other), false_positives(one, other)))
    lows, highs = torch.tensor(found).quantile(torch.tensor([0.025, 0.975]), dim=0).tolist()
    return {name: (lows[part], highs[part]) for part, name in enumerate(("auroc", "fpr95"))}


def part_of(seen: Seen, kept: Sequence[bool]) -> Seen:
    """Of those pictures alone."""
    rows = torch.tensor(kept)
    return Seen(seen.logits[rows], seen.features[rows], seen.unusual[rows])


def scores_of(network: Network, names: Sequence[str], looked: Mapping[str, Seen], bank: Seen, owners: Sequence[str]) -> Scores:
    """By method the scores of each set, the known among them, (N,) each; the bank's pictures belong to `owners`."""
    found: Scores = {}
    for which, seen in looked.items():
        for method, each in plain(seen).items():
            found.setdefault(method, {})[which] = each
    seen, classifier = looked["known"], network.module.classifier
    calibration = rejector.calibrated([tuple(row) for row in both(seen).tolist()])
    whole = VirtualLogit.of(bank, classifier)
    found["GEN + norms"] = {which: torch.tensor(rejector.scores(both(each), calibration)).double() for which, each in looked.items()}
    found["nearest"] = {which: nearest(each.features, bank.features) for which, each in looked.items()}
    found["ViM"] = {which: whole(each) for which, each in looked.items()}
    alone = [(part_of(seen, [each == name for each in names]), part_of(bank, [each != name for each in owners])) for name in names]
    found["GEN + norms"]["known"] = torch.tensor(rejector.apart(both(seen))).double()
    found["nearest"]["known"] = torch.cat([nearest(one.features, others.features) for one, others in alone])
    found["ViM"]["known"] = torch.cat([VirtualLogit.of(others, classifier)(one) for one, others in alone])
    return found


Scores = dict[str, dict[str, Tensor]]


def agreed(seen: Sequence[Seen]) -> Tensor:
    """(N,): the greatest of the probabilities that several networks give on average."""
    return torch.stack([each.logits.softmax(1) for each in seen]).mean(0).max(1).values


def measured(folder: Path | None) -> tuple[dict[str, Scores], dict[str, Seen], list[str]]:
    """By network and method the scores; what each network made of the known photographs; and their names."""
    shown, sets = known(), unknown(folder)
    names = list(shown)
    all_looked: dict[str, dict[str, Seen]] = {}
    found: dict[str, Scores] = {}
    for network in CATALOGUE:
        print(network, file=sys.stderr)
        net = reverie.load(network, device="cpu")
        looked = {which: look(net, each) for which, each in {"known": list(shown.values()), **sets}.items()}
        parts = [(name, view) for name, pixels in shown.items() for view in views(pixels, net.size[0])]
        found[network] = scores_of(net, names, looked, look(net, [view for _, view in parts]), [name for name, _ in parts])
        all_looked[network] = looked
    together = {which: agreed([each[which] for each in all_looked.values()]) for which in ("known", *sets)}
    for scores in found.values():
        scores["agreement"] = together
    return found, {network: looked["known"] for network, looked in all_looked.items()}, names


def rows(found: Mapping[str, Scores]) -> Iterator[tuple[str, str, str, int, Tensor, Tensor]]:
    """Network, method, set, how many pictures it has, the scores of the known and of it."""
    for network, methods in found.items():
        for method, scores in methods.items():
            for which, unknowns in scores.items():
                if which != "known":
                    yield network, method, which, len(unknowns), scores["known"], unknowns


def table(found: Mapping[str, Scores], bounded: str) -> list[str]:
    """A row for each set and network; AUROC and false positives of each method, in percent; of one the interval."""
    methods = list(next(iter(found.values())))
    lines = ["| set | network | " + " | ".join(methods) + " |", "| --- " * (len(methods) + 2) + "|"]
    cells: dict[tuple[str, str], list[str]] = {}
    for network, method, which, count, here, there in rows(found):
        words = f"{100 * auroc(here, there):.0f} / {100 * false_positives(here, there):.0f}"
        if method == bounded:
            low, high = intervals(here, there)["auroc"]
            words += f" ({100 * low:.0f} to {100 * high:.0f})"
        cells.setdefault((f"{which} ({count})", network.removeprefix("efficientnet-")), []).append(words)
    order = sorted(cells, key=lambda each: list(dict.fromkeys(name for name, _ in cells)).index(each[0]))
    return lines + [f"| {name} | {network} | " + " | ".join(cells[name, network]) + " |" for name, network in order]


def facts(network: str, scores: Mapping[str, Tensor], seen: Seen) -> dict[str, Any]:
    """What is kept of a network in rejector.json."""
    calibration = rejector.calibrated([tuple(row) for row in both(seen).tolist()])
    sets = {}
    for which, there in scores.items():
        if which == "known":
            continue
        bounds = intervals(scores["known"], there)
        sets[which] = {
            "pictures": len(there),
            "auroc": round(auroc(scores["known"], there), 3),
            "auroc_interval": [round(each, 3) for each in bounds["auroc"]],
            "fpr95": round(false_positives(scores["known"], there), 3),
            "fpr95_interval": [round(each, 3) for each in bounds["fpr95"]],
            "nothing": int((there < calibration.threshold).sum()),
            "perhaps": int(((there >= calibration.threshold) & (there < calibration.sure)).sum()),
        }
    return {"sha256": CATALOGUE[network].sha256, **calibration.as_data(), "sets": sets}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="where dreams and class pictures are kept, and taken from")
    parser.add_argument("--write", action="store_true", help=f"write what was measured of the method in use to {PLACE}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found, seen, names = measured(options.pictures)
    print(f"{processor()}, {platform.system()}, torch {torch.__version__}; {len(names)} known photographs: {', '.join(names)}")
    print("AUROC / false positives at 95 % true positives, in percent; in brackets the 95 % interval of AUROC over photographs")
    print("\n".join(table(found, METHOD)))
    written = {network: facts(network, found[network][METHOD], seen[network]) for network in found}
    for network, each in written.items():
        print(f"{network}: threshold {each['threshold']:.2f} {each['threshold_interval']}, sure from {each['sure']:.2f}")
        for which, told in each["sets"].items():
            print(f"  {which}: of {told['pictures']} nothing known in {told['nothing']}, perhaps nothing in {told['perhaps']}")
    if options.write:
        PLACE.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
