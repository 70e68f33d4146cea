"""Whether the trust mark can tell: pictures of units, and in their place those of other units of the same layer.

`python -m bench.trust ATLAS FOLDER`: ATLAS is a folder that `reverie atlas --dataset` made of lite0; FOLDER its data set.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import reverie
from reverie.api.atlases.examples_stage import answers_of
from reverie.api.atlases.eyes_stage import eyes_of, pictures_key, seen_pictures, sides
from reverie.api.atlases.looks_stage import below, look_of
from reverie.api.atlases.planning import AtlasPlan, LayerPart, plan_atlas
from reverie.atlases.examples.of_units import SHOWN
from reverie.atlases.store import AtlasStore
from reverie.atlases.verdicts.choices import choice
from reverie.atlases.verdicts.paths import path, standardised
from reverie.atlases.verdicts.routes import Left, joined, left_by, random_places, route
from reverie.pictures import as_tensor, in_channels, resize

OTHERS, PLACES = 32, 4


def ways(plan: AtlasPlan, store: AtlasStore, layer: LayerPart, units: Sequence[int]) -> tuple[list[float], list[float], list[float]]:
    """Scores of the path of each unit's own picture, of the pictures of all others, and of photographs that come after the top."""
    assert plan.data is not None
    net, data, summary = plan.network, plan.data, answers_of(store, layer.stem)
    assert summary is not None
    way = route(net, below(plan, layer.name), (store.facts("field", layer.name) or {"side": 1.0})["side"])

    def photograph(number: int, channel: int | None = None) -> Left:
        pixels = resize(in_channels(as_tensor(data.place(number), net.channels), net.channels), *net.size)
        return left_by(way, pixels, random_places(number, PLACES) if channel is None else None, channel)

    others = {number: photograph(number) for number in sorted(data.sample(OTHERS))}
    made = {unit: left_by(way, as_tensor(store.folder / layer.stem / f"{unit}.webp", net.channels), channel=unit) for unit in units}
    own: list[float] = []
    swapped: list[float] = []
    natural: list[float] = []
    for unit in units:
        order = summary.top_at[unit].tolist()
        far = joined([each for number, each in others.items() if number not in order[:SHOWN]])
        near = joined([photograph(number, unit) for number in order[:SHOWN]])

        def score(mine: Left, far: Left = far, near: Left = near) -> float | None:
            first, close, usual = ({name: standardised(each[name], far[name]) for name in way.cells} for each in (mine, near, far))
            return path({name: each[0] for name, each in first.items()}, close, usual).score

        for into, given in (
            (own, [made[unit]]), (swapped, [made[each] for each in units if each != unit]),
            (natural, [photograph(number, unit) for number in order[SHOWN : SHOWN + 3]]),
        ):  # fmt: skip
            into += [each for one in given if (each := score(one)) is not None]
    return own, swapped, natural


def choices(plan: AtlasPlan, store: AtlasStore, layer: LayerPart, units: Sequence[int]) -> tuple[list[float], list[float]]:
    """How often each unit's own pictures choose rightly, and those of all others."""
    eyes = eyes_of(plan)
    assert eyes is not None
    numbers, rows = seen_pictures(store, pictures_key(plan, eyes))
    usual, row_of = rows.astype(np.float32), {int(number): row for row, number in enumerate(numbers)}
    own: list[float] = []
    swapped: list[float] = []
    for unit, (strong, weak) in sides(plan, store, layer.stem, units).items():
        yes, no = (standardised(usual[[row_of[each] for each in side]], usual) for side in (strong, weak))
        for other in units:
            look = look_of(store, f"{layer.name}:{other}")
            if look is not None:
                feature, negative = standardised(look["eyes"][:2], usual)
                score = choice(feature, negative, yes, no, "").score
                (own if other == unit else swapped).append(float("nan") if score is None else score)
    return own, swapped


def main(folder: str, dataset: str) -> None:
    """The table."""
    with AtlasStore(Path(folder)) as store:
        about = store.facts("about", "network") or {}
        units = [f"{layer['name']}:{unit}" for layer in about["layers"] for unit in layer["units"]]
        plan = plan_atlas(reverie.load("efficientnet-lite0"), units=units, dataset=dataset)
        print(
            "| layer | units | path: own | of others | photographs | choice: own | of others |\n| --- | --- | --- | --- | --- | --- | --- |"
        )
        for layer in plan.layers:
            alive = [each for each in layer.channels if (store.facts("unit", f"{layer.name}:{each}") or {}).get("alive")]
            scores = [*ways(plan, store, layer, alive), *choices(plan, store, layer, alive)]
            told = " | ".join(f"{np.median(each):.2f} ({np.quantile(each, 0.25):.2f}–{np.quantile(each, 0.75):.2f})" for each in scores)
            print(f"| `{layer.name}` | {len(alive)} | {told} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
