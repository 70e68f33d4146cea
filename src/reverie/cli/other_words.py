"""Flags that other programs have, and what the same is called here."""

from __future__ import annotations

import os
import shlex

from reverie.errors import UsageError, choice, did_you_mean, nearest, unknown
from reverie.recipe import COMMANDS, CommandSpec, flag_in, flag_names, is_noise
from reverie.store import expanded

_OURS: dict[str, str] = {  # field: what others call it
    "steps": "iterations iters iter iteration n-iter n-iters num-iterations num-iters num-steps n-steps epochs gradient-steps max-iter",
    "strength": "lr learning-rate rate step-size stepsize step alpha intensity power amount",
    "octaves": "octave num-octaves n-octaves octave-n octave-num octave-count num-octave pyramid-size levels-of-detail",
    "octave_scale": "octave-ratio pyramid-ratio scale-factor octave-factor",
    "network": "model net arch architecture weights checkpoint backbone pretrained",
    "layers": "layer layers-to-use layers",
    "target": "layer layers unit channel neuron channels feature objective label class category class-id class-name",
    "output": "out output-dir out-dir outdir output-path output-file outfile out-file save save-path save-dir dest destination result",
    "width": "image-size img-size imsize resize max-size max-dim max-width image-width size height",
    "size": "image-size img-size imsize resize width height resolution image-width",
    "guide": "style style-image style-picture reference reference-image guide-image example like",
    "mask": "region area where mask-image",
    "mix": "blend opacity-of-start original content-weight keep-original preserve",
    "jitter": "shift max-jitter roll random-shift",
    "smoothing": "smooth blur sigma gaussian smoothing-coefficient gradient-smoothing",
    "total_variation": "tv tv-weight total-variation-weight tv-loss",
    "l2": "l2-weight weight-decay l2-loss",
    "vivid": "color colour colors colours saturation colourful colorful",
    "keep_colour": "keep-color preserve-color preserve-colors original-colors original-colours keep-colors keep-colours",
    "device": "gpu cuda use-gpu use-cuda cpu mps",
    "precision": "dtype half fp16 fp32 bf16 float16 float32 bfloat16 amp autocast mixed-precision",
    "threads": "workers num-workers num-threads n-threads jobs cores",
    "seed": "random-seed rand-seed random random-state manual-seed",
    "batch": "batch-size bs",
    "tile": "tile-size tiles crop-size",
    "rotate": "rotation angle max-rotation",
    "mirror": "flip hflip horizontal-flip",
    "seconds": "duration length time",
    "fps": "frame-rate framerate frames-per-second",
    "frames": "num-frames n-frames frame-count",
    "ring": "layers-in-turn cycle",
    "top": "topk top-k k n num-labels",
    "labels": "classes class-names names label-file labels-file",
    "mean": "norm-mean image-mean",
    "std": "norm-std image-std",
    "definition": "module code model-file script",
    "native": "input-size",
    "why": "class label explain target-class",
    "usual": "dataset data train-data baseline-folder",
    "force": "overwrite yes replace",
    "with_recipe": "no-metadata strip no-exif",
    "quiet": "silent no-progress",
    "as_json": "format as-json output-format",
    "making": "save-intermediate save-iter save-every save-frequency intermediate",
    "diverse": "diversity n-images num-images variations",
    "estimate": "dry-run",
    "max_pixels": "max-image-pixels",
    "prune": "clear clean purge delete remove rm empty gc evict trim wipe",
    "older_than": "older days age max-age",
    "to": "size max-size limit",
    "kind": "type only",
}
_LISTING = frozenset(["list", "ls", "show", "info", "status", "stats", "dir", "path", "where", "location", "size", "du"])
_SUBJECTS = frozenset(
    [
        "image",
        "img",
        "input",
        "in",
        "input-image",
        "input-file",
        "content",
        "content-image",
        "picture",
        "photo",
        "file",
        "path",
        "source",
        "start",
        "video",
        "film",
        "i",
        "f",
    ]
)
_NAMED = frozenset(
    [
        "label",
        "class",
        "category",
        "class-id",
        "class-name",
        "class-idx",
        "target",
        "layer",
        "unit",
        "channel",
        "neuron",
        "feature",
        "word",
        "words",
        "text",
        "prompt",
    ]
)


_WORDS = frozenset(["prompt", "text", "word", "words", "caption", "query"])


def no_such_command(word: str) -> UsageError:
    """The error for a word where a command belongs: a file, a folder or noise is meant for one."""
    from reverie.files import READABLE
    from reverie.files.films.reading import READABLE_FILMS

    suffix = expanded(word).suffix.lower()
    if is_noise(word):
        return UsageError(f"no command '{word[:80]}'", f"a command comes before noise: `reverie dream {shlex.quote(word)}`")
    if not word or (suffix not in READABLE | READABLE_FILMS and not os.path.lexists(expanded(word))):
        return unknown("command", word, COMMANDS, "`reverie --help` lists them")
    kind = "film" if suffix in READABLE_FILMS - READABLE else "dream"
    return UsageError(f"no command '{word[:80]}'", f"a command comes before a file: `reverie {kind} {shlex.quote(word)}`")


def no_such_flag(flag: str, command: str) -> UsageError:
    """The error for a flag that a command has not: what other programs call so has another name here, or something near is meant."""
    spec = COMMANDS.get(command)
    if spec is None:
        return UsageError(f"`reverie` has no flag {flag[:60]}", "a command comes first: `reverie --help` lists them")
    return UsageError(f"`reverie {command}` has no flag {flag[:60]}", _remedy(flag, spec) or f"see `reverie {command} --help-all`")


def no_such_word(word: str, spec: CommandSpec) -> UsageError:
    """The error for a word after a command that takes none, or no more."""
    fault = f"`reverie {spec.name}` takes no '{word[:60]}'"
    if spec.subjects:
        fault = f"`reverie {spec.name}` takes one {spec.subjects[-1].metavar}, and '{word[:60]}' is one more"
    return UsageError(fault, (not spec.subjects and _remedy(word, spec)) or f"see `reverie {spec.name} --help`")


def _remedy(flag: str, spec: CommandSpec) -> str:
    word = flag.lstrip("-").replace("_", "-").casefold()
    if spec.subjects and (word in _SUBJECTS or (word in _NAMED and spec.name in ("imagine", "feature", "labels"))):
        return f"what stands for {spec.subjects[0].metavar} is given without a flag: {spec.example}"
    if (not spec.subjects or spec.name in ("labels", "networks")) and word in _LISTING:
        return f"`reverie {spec.name}` alone tells it"
    if word in _WORDS and word not in _fields(spec):
        return f"Reverie knows classes, not sentences: `reverie imagine castle` makes one, and so does {choice('target', 'class:castle')}"
    for ours in _meant(word):
        if ours in _fields(spec):
            return _told(ours, spec)
    near = nearest(f"--{word}", [name for field, model in spec.flags.items() for name in flag_names(field, flag_in(model, field))])
    if near:
        return did_you_mean(near)
    for ours in _meant(word):
        others = [each.name for each in COMMANDS.values() if ours in _fields(each) and not each.borrows]
        if others:
            return f"`{'` and `'.join(others)}` ha{'s' if len(others) == 1 else 've'} {choice(ours)}"
    return ""


def _meant(word: str) -> list[str]:
    """The fields whose flags others call so, or that are called so themselves."""
    return [ours for ours, theirs in _OURS.items() if word in theirs.split()] + [word.replace("-", "_")]


def _fields(spec: CommandSpec) -> set[str]:
    return {*spec.flags, *(("network",) if spec.networks != "none" else ())}


def _told(field: str, spec: CommandSpec) -> str:
    if field == "guide":
        return f"{choice('guide', 'FLOWERS.jpg')} enhances what is like another picture; it does not take over that picture's style"
    if field == "network":
        return f"here it is {choice('network')}: one that `reverie networks` lists, torchvision:NAME, timm:NAME, or a file of weights"
    return f"here it is {choice(field)}: {spec.flags[field].model_fields[field].description}"
