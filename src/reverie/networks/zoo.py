"""Networks of torchvision, of timm, and timm's on the Hugging Face hub: their own code and facts, weights fetched and checked by us.

The libraries build the module without weights; the file comes from where the library's own entry says, is verified, compared with the
module and copied by `strangers.load_weights`. Random weights are never used instead.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from reverie.errors import InputError, MissingExtra, UnsafeError, UsageError, unknown
from reverie.networks import labels as label_names
from reverie.networks.catalogue import KNOWN
from reverie.networks.naming import Source
from reverie.store import cache_folder

Told = Callable[[int, int | None], None]
EXTRA = "pip install 'reverie[zoo]'"
SAFE = "model.safetensors"
_DIGEST = re.compile(r"-([0-9a-f]{8,64})\.")
_LARGEST_CONFIG = 1 << 20  # bytes
# of a stranger's config, what may be handed to timm's builders; numbers are bounded
_ALLOWED = frozenset({
    "act_layer", "aa_layer", "block_size", "class_token", "depth", "depths", "dims", "drop_path_rate", "drop_rate",
    "dynamic_img_size", "embed_dim", "fc_norm", "global_pool", "img_size", "in_chans", "init_values", "mlp_ratio", "no_embed_class",
    "norm_layer", "num_classes", "num_heads", "output_stride", "patch_size", "pos_embed", "pre_norm", "qk_norm", "qkv_bias", "reg_tokens",
    "strict_img_size", "window_size",
})  # fmt: skip
_SHAPING = (
    "input_size",
    "fixed_input_size",
    "num_classes",
    "pool_size",
    "first_conv",
    "classifier",
    "mean",
    "std",
)  # of its facts, likewise
_MOST = 32768


@dataclass(frozen=True)
class Found:
    """A network and what is known of it; None where nothing is, empty where there is nothing.

    `mean` and `std` are in the units of `range`; `size` is (height, width).
    """

    module: nn.Module
    name: str
    sha256: str
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    range: tuple[float, float] | None = (0.0, 1.0)
    size: tuple[int, int] | None = None
    labels: Sequence[Sequence[str]] = ()


def found(source: Source, *, offline: bool = False, progress: Told | None = None) -> Found:
    """A network of a zoo with its weights, which are downloaded unless they are here.

    Args:
        source: of a kind in `naming.ZOOS`.
        offline: do not download.
        progress: told the bytes that are there, and how many there will be.

    Raises:
        MissingExtra: the zoo's library is not installed, or does not fit torch. UsageError: it has no such network, tag or weights.
        InputError: not to be had; offline, and not here. UnsafeError: what came is not what it should be. OutputError: no room.
    """
    make = {"torchvision": _of_torchvision, "timm": _of_timm, "hf": _of_hub}[source.kind]
    return make(source, offline, progress)


def imported(package: str, text: str) -> Any:
    """A library of the extra `zoo`.

    Raises:
        MissingExtra: it is not installed, or torchvision does not fit torch (which it says with a RuntimeError).
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtra(f"'{text}' needs {error.name or package}, which is not installed", EXTRA) from error
    except (RuntimeError, OSError) as error:
        raise MissingExtra(f"'{text}' needs torchvision, and {misfit()}", REMEDY) from error


REMEDY = "install both from the same place, for the same device: see 'The zoos' in docs/networks.md"


def misfit() -> str:
    """What there is to say of a torchvision that cannot be imported."""
    try:
        have = metadata.version("torchvision")
    except metadata.PackageNotFoundError:
        have = "that"
    return f"torchvision {have} does not fit torch {torch.__version__}"


def levels_of(source: Source) -> dict[str, str]:
    """The levels that are known of it."""
    known = KNOWN.get(source.usual)
    return {} if known is None else {level: layer for level, layer in known.levels.items()}


# ── torchvision ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_torchvision(source: Source, offline: bool, progress: Told | None) -> Found:
    from reverie.networks.download import fetched
    from reverie.networks.strangers import load_weights

    models = imported("torchvision.models", source.text)
    names = models.list_models(module=models)  # its classifiers
    if source.name not in names:
        raise _none_of("torchvision", source.name, names)
    choices = {each.name: each for each in models.get_model_weights(source.name)}
    if source.version and source.version not in choices:
        raise unknown(f"weights of torchvision:{source.name}", source.version, choices, "it has " + ", ".join(choices))
    weights = choices[source.version] if source.version else models.get_model_weights(source.name).DEFAULT
    name = f"torchvision:{source.name}@{weights.name}"
    digest = _digest(weights.url, name)
    place = fetched(weights.url, cache_folder() / "weights", digest=digest, offline=offline, progress=progress)
    categories: Sequence[str] = weights.meta["categories"]
    choices = {"num_classes": len(categories), **_BUILT_WITH.get(source.name.partition("_")[0].rstrip("0123456789"), {})}
    with torch.random.fork_rng(devices=[]):
        module = models.get_model(source.name, weights=None, **choices)
    aside = ("aux1.", "aux2.") if source.name == "googlenet" else ()  # heads for training, which its builder drops too
    older = _today if source.name.startswith("densenet") else None
    sha256 = load_weights(place, module, name=name, ignore=aside, renamed=older)
    seen = weights.transforms()
    side = seen.crop_size[0] if isinstance(seen.crop_size, (list, tuple)) else seen.crop_size
    return Found(_still(module), name, sha256, tuple(seen.mean), tuple(seen.std), size=(side, side), labels=_named(categories))


# what their builders are told where they load weights themselves
_BUILT_WITH: dict[str, dict[str, Any]] = {
    "googlenet": {"transform_input": True, "aux_logits": False, "init_weights": False},
    "inception": {"transform_input": True, "aux_logits": True, "init_weights": False},
    "vgg": {"init_weights": False},
}
_DENSE = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(\d)\.")


def _today(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names that a DenseNet's parts have today for those in torchvision's files, as its builder does."""
    return {_DENSE.sub(r"\1\2.", name): tensor for name, tensor in state.items()}


# ── timm ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_timm(source: Source, offline: bool, progress: Told | None) -> Found:
    from reverie.networks.download import fetched as from_address
    from reverie.networks.hub import fetched

    timm = imported("timm", source.text)
    if not timm.is_model(source.name):
        raise _none_of("timm", source.name, timm.list_models())
    tags = [each.partition(".")[2] for each in timm.list_pretrained() if each.partition(".")[0] == source.name]
    if not tags:
        raise UsageError(f"timm has no weights for '{source.name}'", "give weights of your own: FILE --definition package.module:function")
    if source.version and source.version not in tags:
        raise unknown(f"tag of timm:{source.name}", source.version, tags, "it has " + ", ".join(tags[:8]))
    config = timm.get_pretrained_cfg(f"{source.name}.{source.version}" if source.version else source.name)
    name = f"timm:{source.name}.{config.tag}" if config.tag else f"timm:{source.name}"
    if config.hf_hub_id:
        repository, _, revision = config.hf_hub_id.partition("@")
        place = fetched(repository, config.hf_hub_filename or SAFE, revision or None, offline=offline, progress=progress).path
    elif config.url and not config.custom_load:
        place = from_address(config.url, cache_folder() / "weights", digest=_digest(config.url, name), offline=offline, progress=progress)
    else:
        raise UsageError(f"the weights of {name} are in a form of their own", "take another tag or network")
    return _built(timm, name, source.name, place, {"pretrained_cfg": config}, config.to_dict(), older=True)


def _of_hub(source: Source, offline: bool, progress: Told | None) -> Found:
    from reverie.networks.hub import fetched

    imported("huggingface_hub", source.text)
    timm = imported("timm", source.text)
    config = fetched(source.name, "config.json", source.version or None, offline=offline, progress=progress)
    architecture, facts, arguments = _read_config(config.path, source)
    if not timm.is_model(architecture):
        raise InputError(f"'{source.text}' is a '{architecture[:60]}', which this timm does not have", "pip install --upgrade timm")
    weights = fetched(source.name, SAFE, config.commit, offline=offline, progress=progress)
    return _built(timm, f"hf:{source.name}@{weights.commit}", architecture, weights.path, arguments, facts)


def _built(
    timm: Any, name: str, architecture: str, place: Path, arguments: Mapping[str, Any], facts: Mapping[str, Any], *, older: bool = False
) -> Found:
    """A timm model and its facts. `older`: its file may be older than timm's code, which then knows what to do with it."""
    from reverie.networks.strangers import load_weights

    try:
        with torch.random.fork_rng(devices=[]):
            module = timm.create_model(architecture, pretrained=False, **arguments)
    except (RuntimeError, TypeError, ValueError, AssertionError, KeyError, NotImplementedError) as error:
        fault = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise InputError(f"timm cannot build '{architecture}' as {name} asks for it: {fault}", "pip install --upgrade timm") from error

    filtered = getattr(sys.modules[type(module).__module__], "checkpoint_filter_fn", None) if older else None
    renamed = None if filtered is None else (lambda state: filtered(dict(state), module))
    sha256 = load_weights(place, module, name=name, renamed=renamed)
    shape = facts.get("input_size")
    channels, height, width = (int(each) for each in shape) if _are_numbers(shape) and len(shape) == 3 else (0, 0, 0)
    mean, std = (_for_channels(facts.get(each), channels) for each in ("mean", "std"))
    count = getattr(module, "num_classes", 0)
    return Found(
        _still(module), name, sha256, mean, std, size=(height, width) if height and width else None,
        labels=_named(_timm_labels(facts, count)),
    )  # fmt: skip


def _for_channels(given: Any, channels: int) -> tuple[float, ...] | None:
    """One number for each channel; None where that is not what is said."""
    if not _are_numbers(given) or not given:
        return None
    if channels and len(given) != channels:
        return (float(given[0]),) * channels if len(set(given)) == 1 else None
    return tuple(float(each) for each in given)


def _are_numbers(given: Any) -> TypeGuard[Sequence[float]]:
    return isinstance(given, (list, tuple)) and all(isinstance(each, (int, float)) and abs(each) < _MOST for each in given)


def _timm_labels(facts: Mapping[str, Any], count: int) -> Sequence[str]:
    """The names of the classes: those in its facts, else those of the part of ImageNet it was trained on."""
    names, descriptions = facts.get("label_names"), facts.get("label_descriptions")
    if isinstance(names, (list, tuple)) and len(names) == count:
        told = descriptions if isinstance(descriptions, dict) else {}
        return [str(told.get(each, each)) for each in names]
    data = importlib.import_module("timm.data")
    subset = data.infer_imagenet_subset(dict(facts)) if count and "num_classes" in facts else None
    if subset is None:
        return ()
    info = data.ImageNetInfo(subset)
    return [info.index_to_description(index) for index in range(count)] if info.num_classes() == count else ()


def _read_config(place: Path, source: Source) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Of a stranger's config.json: the architecture, its facts, and what its builder is told. Nothing in it is run."""
    refuse = "a timm model's config.json names its 'architecture' and 'pretrained_cfg'; others cannot be opened from the hub"
    try:
        if place.stat().st_size > _LARGEST_CONFIG:
            raise UnsafeError(f"the config.json of '{source.text}' has more than a megabyte", "it is none of timm's")
        read = json.loads(place.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the config.json of '{source.text}' cannot be read", refuse) from error
    if not isinstance(read, dict) or not isinstance(read.get("architecture"), str):
        kind = read.get("model_type") if isinstance(read, dict) else None
        what = f"a model of another library ({str(kind)[:40]})" if kind else "no timm model"
        raise InputError(f"'{source.text}' is {what}", refuse)
    facts = dict(read["pretrained_cfg"]) if isinstance(read.get("pretrained_cfg"), dict) else dict(read)
    for each in ("num_classes", "label_names", "label_descriptions"):
        if each in read:
            facts[each] = read[each]
    arguments = dict(read["model_args"]) if isinstance(read.get("model_args"), dict) else {}
    if isinstance(facts.get("num_classes"), int):
        arguments.setdefault("num_classes", facts["num_classes"])
    if isinstance(read.get("global_pool"), str):
        arguments.setdefault("global_pool", read["global_pool"])
    for key, value in arguments.items():
        if key not in _ALLOWED or not _is_plain(value):
            raise UnsafeError(f"the config.json of '{source.text}' asks for '{str(key)[:40]}'", "that is not handed on to timm")
    if isinstance(arguments.get("in_chans"), int) and _are_numbers(facts.get("input_size")):
        facts["input_size"] = (arguments["in_chans"], *facts["input_size"][1:])
    shaping = {each: facts[each] for each in _SHAPING if each in facts and _is_plain(facts[each])}  # no file and no address
    arguments["pretrained_cfg"] = {"architecture": read["architecture"], **shaping}
    return read["architecture"], facts, arguments


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) <= 16 and all(_is_plain(each) and not isinstance(each, (list, tuple)) for each in value)
    if isinstance(value, str):
        return re.fullmatch(r"[A-Za-z0-9_.]{0,40}", value) is not None
    return value is None or isinstance(value, bool) or (isinstance(value, (int, float)) and abs(value) <= _MOST)


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _digest(url: str, name: str) -> str:
    """The beginning of the sha256 that stands in the file's name."""
    digest = _DIGEST.search(url.rpartition("/")[2])
    if digest is None:
        raise UnsafeError(f"the file of {name} has no hash in its name, so it cannot be verified", "take another tag or network")
    return digest[1]


def _still(module: nn.Module) -> nn.Module:
    return module.eval().requires_grad_(False)


def _named(labels: Sequence[str]) -> Sequence[Sequence[str]]:
    """Names of classes; those of ImageNet with their synonyms, and all different."""
    known = label_names.imagenet() if len(labels) == 1000 else ()
    same = sum(bool({part.strip().casefold() for part in told.split(",")} & {each.casefold() for each in names})
               for told, names in zip(labels, known, strict=False))  # fmt: skip
    if same > 900:
        return known
    return [(each,) for each in labels]


def _none_of(zoo: str, name: str, names: Sequence[str]) -> UsageError:
    error = unknown(f"network in {zoo}", name, names, f"`python -c 'import {zoo}'` and its list_models() name them")
    remedy = (
        error.remedy.replace("'", f"'{zoo}:", 1).replace(" or '", f" or '{zoo}:") if error.remedy.startswith("did you") else error.remedy
    )
    return UsageError(f"no network '{zoo}:{name[:60]}'", remedy)
