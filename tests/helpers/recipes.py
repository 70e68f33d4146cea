"""Recipes for tests: a plain one, and hypothesis strategies for sound ones and for hostile texts."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from reverie import recipe
from reverie.recipe import (
    Ascent,
    Batch,
    Canvas,
    FileInput,
    Finish,
    Machine,
    Named,
    NetworkUsed,
    NoiseInput,
    Opinion,
    Penalties,
    Recipe,
    Stopped,
    Transforms,
    VectorInput,
)
from reverie.target import parse

DIGEST = "0123456789abcdef" * 4

PLAIN = Recipe(
    networks=(NetworkUsed(name="efficientnet-lite0", sha256=DIGEST, folded=49),),
    inputs=(NoiseInput(noise="pink"),),
    target=parse("blocks.4.1:12 - 0.5*blocks.2.0:3"),
    width=96,
    height=64,
    seed=7,
    machine=Machine(reverie="0.1.0", torch="2.13.0", device="cpu", threads=2, precision="float32"),
)

digests = st.text("0123456789abcdef", min_size=64, max_size=64)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
ascents = st.builds(
    Ascent,
    octaves=st.integers(1, 24),
    octave_scale=st.floats(1, 4, exclude_min=True),
    steps=st.integers(1, 100_000),
    strength=st.floats(0, 1, exclude_min=True),
    jitter=st.integers(0, 1024),
    smoothing=st.floats(0, 3),
    tone=st.sampled_from(["keep", "light", "free"]),
    settle=st.floats(0, 1, exclude_min=True),
    focus=st.floats(0, 3),
    centre=st.floats(0, 1),
)
canvases = st.builds(Canvas, canvas=st.sampled_from(["pixels", "fourier", "maco"]), spread=st.floats(0, 0.5))
transforms = st.builds(Transforms, rotate=st.floats(0, 180), scale=st.floats(1, 4), crop=st.floats(0.1, 1), mirror=st.booleans())
penalties = st.builds(Penalties, total_variation=st.floats(0, 10), l2=st.floats(0, 10), spectrum=st.floats(0, 10))
finishes = st.builds(Finish, mix=st.floats(0, 1), keep_colour=st.booleans(), opacity=st.booleans(), deep=st.booleans())
machines = st.builds(
    Machine,
    reverie=words,
    torch=words,
    device=st.sampled_from(["cpu", "cuda", "mps"]),
    threads=st.integers(1, recipe.MOST_THREADS),
    precision=st.sampled_from(["float32", "bfloat16"]),
)
targets = st.sampled_from(
    ["blocks.4.1", "blocks.4.1:12@3,4", "blocks.4.1:12@centre", "2*blocks.2.0 - 0.5*class:banana", "class:Egyptian cat"]
)
used = st.builds(
    NetworkUsed, name=words, sha256=digests, target=st.just("") | targets, folded=st.integers(0, 999), unfolded=st.integers(0, 999)
)
sides = st.integers(1, 10**9)
starts = st.builds(NoiseInput, noise=st.sampled_from(["white", "grey", "pink"])) | st.builds(
    FileInput, sha256=digests, width=sides, height=sides
)
guides = st.builds(FileInput, role=st.just("guide"), sha256=digests, width=sides, height=sides)
masks = st.builds(FileInput, role=st.just("mask"), sha256=digests, width=sides, height=sides)
directions = st.builds(VectorInput, sha256=digests, channels=st.integers(1, 10**7))
probabilities = st.floats(0, 1)
said = st.builds(
    Opinion,
    network=words,
    sha256=digests,
    rank=st.integers(1, 10**6),
    probability=probabilities,
    labels=st.lists(st.builds(Named, index=st.integers(0, 10**6), label=words, probability=probabilities), max_size=2).map(tuple),
)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Recipes as they may be."""
    target, objective = draw(targets), draw(st.sampled_from(["excite", "guide", "caricature", "direction"]))
    inputs: list[Any] = [draw(starts)]
    if objective in ("guide", "direction"):
        inputs.append(draw(guides if objective == "guide" else directions))
    if draw(st.booleans()):
        inputs.insert(draw(st.integers(0, 1)), draw(masks))
    before, after = draw(st.lists(targets, max_size=2)), draw(st.lists(targets, max_size=2))
    batches = st.builds(
        Batch,
        kind=st.sampled_from(["each", "diverse", "between"]),
        targets=st.just((*before, target, *after)),
        index=st.just(len(before)),
    )
    return Recipe(
        command=draw(st.sampled_from(["dream", "imagine", "feature"])),
        networks=tuple(draw(st.lists(used, min_size=1, max_size=2, unique_by=lambda each: each.sha256))),
        inputs=tuple(inputs),
        target=parse(target),
        objective=objective,
        canvas=draw(canvases),
        ascent=draw(ascents),
        transforms=draw(transforms),
        penalties=draw(penalties),
        finish=draw(finishes),
        width=draw(st.integers(1, 10**6)),
        height=draw(st.integers(1, 10**6)),
        seed=draw(st.integers(0, recipe.MOST_SEED)),
        batch=draw(st.none() | batches),
        stopped=draw(st.none() | st.just(Stopped(octave=1, step=1))),
        opinions=tuple(draw(st.lists(said, max_size=2))),
        machine=draw(machines),
    )


@st.composite
def rebuildings(draw: st.DrawFn) -> Recipe:
    """Recipes of pictures that are rebuilt from what a layer saw."""
    way = {"octaves": 1, "jitter": 0, "focus": 0.0, "centre": 0.0, "settle": 1.0, "tone": "free"}
    inputs: list[Any] = [draw(st.builds(NoiseInput, noise=st.sampled_from(["white", "grey", "pink"]))), draw(guides)]
    return Recipe(
        command="see",
        networks=(draw(used),),
        inputs=tuple(draw(st.permutations(inputs))),
        target=parse(draw(targets)),
        objective="rebuild",
        canvas=draw(canvases),
        ascent=draw(ascents).model_copy(update=way),
        finish=draw(finishes),
        width=draw(st.integers(1, 10**6)),
        height=draw(st.integers(1, 10**6)),
        seed=draw(st.integers(0, recipe.MOST_SEED)),
        stopped=draw(st.none() | st.just(Stopped(octave=1, step=1))),
        machine=draw(machines),
    )


sound = recipes() | rebuildings()


plain_json = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"), max_size=30)
    | st.sampled_from(["../../etc/passwd", "http://a.b/c", "__import__('os').system('true')", "5", "true", 2**63, 1e308, "\x1b[2J"])
)  # fmt: skip
any_json = st.recursive(
    plain_json, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=8
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value of some JSON."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(way for key, value in inner for way in places(value, (*path, key)))]


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The JSON with another value at a place."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = changed(data[path[0]], path[1:], value)
    return copy


@st.composite
def hostile(draw: st.DrawFn) -> str:
    """Texts where a recipe should be: one value changed, a field added, cut, repeated, nested, or nothing of the kind."""
    data = json.loads(draw(sound).text())
    way = draw(st.sampled_from(["value", "value", "field", "cut", "twice", "deep", "other", "bytes"]))
    place = draw(st.sampled_from(places(data)))
    if way == "value":
        return json.dumps(changed(data, place, draw(any_json)))
    if way == "field":
        return json.dumps({**data, draw(st.text(max_size=10) | st.sampled_from(["path", "url", "code", "__class__"])): draw(any_json)})
    text = json.dumps(data)
    if way == "cut":
        return text[: draw(st.integers(0, len(text) - 1))]
    if way == "twice":
        return text[:-1] + ', "seed": 1}'
    if way == "deep":
        depth = draw(st.sampled_from([10, 300, 5000, 100_000]))
        return text[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"
    if way == "other":
        return json.dumps(draw(any_json))
    at = draw(st.integers(0, len(text) - 1))
    return text[:at] + draw(st.text(st.characters(codec="utf-8"), max_size=5)) + text[at + 1 :]
