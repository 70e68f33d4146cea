"""Networks of torchvision and timm, and those on the Hugging Face hub: their own code and facts, weights fetched and checked by us.

The libraries build the module without weights; the file comes from where the library's own entry says, is verified, compared with the
module and copied by `loading.load_weights`. Random weights are never used instead.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reverie.errors import InputError, MissingExtra, UnsafeError, UsageError, did_you_mean, first_line, nearest, unknown
from reverie.installing import install
from reverie.networks.builtin import labels as label_names
from reverie.networks.builtin.catalogue import KNOWN
from reverie.networks.checkpoints.loading import Loaded, load_weights
from reverie.networks.preprocessing import LONGEST_SIDE, RANGE, Preprocessing
from reverie.networks.sources import download, hub_config, hub_files
from reverie.networks.sources.download import DownloadWatcher
from reverie.networks.sources.hub_config import Config, are_numbers
from reverie.networks.sources.source import Source
from reverie.store import cache_folder

SAFE = "model.safetensors"
_TIMES, _ROOM = 8, 1 << 24  # a network takes at most so many times its file and bytes: half precision, what is not stored
_DIGEST = re.compile(r"-([0-9a-f]{8,64})\.")


@dataclass(frozen=True)
class Found:
    """A network with its weights, the sha256 of their file, what is known of how it takes pictures, and what there is to say of them."""

    module: nn.Module
    name: str
    sha256: str
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()


def found(source: Source, *, offline: bool = False, progress: DownloadWatcher | None = None) -> Found:
    """A network of a zoo with its weights, which are downloaded unless they are here.

    Args:
        source: of a kind in `source.ZOOS`.
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
        raise MissingExtra(f"'{text}' needs {error.name or package}, which is not installed", install(package.partition(".")[0])) from error
    except (RuntimeError, OSError) as error:
        raise MissingExtra(f"'{text}' needs torchvision, and {misfit()}", install("torchvision", how="--force-reinstall")) from error


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


def _of_torchvision(source: Source, offline: bool, progress: DownloadWatcher | None) -> Found:
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
    place = download.fetched(weights.url, cache_folder() / "weights", digest=digest, offline=offline, progress=progress)
    categories: Sequence[str] = weights.meta["categories"]
    choices = {"num_classes": len(categories), **_built_with(source.name)}
    module = _built("torchvision", source.name, name, lambda: models.get_model(source.name, weights=None, **choices))
    aside = ("aux1.", "aux2.") if source.name == "googlenet" else ()  # heads for training, which its builder drops too
    older = _today if source.name.startswith("densenet") else None
    loaded = load_weights(place, module, name=name, ignore=aside, renamed=older)
    seen = weights.transforms()
    side = seen.crop_size[0] if isinstance(seen.crop_size, (list, tuple)) else seen.crop_size
    known = Preprocessing(tuple(seen.mean), tuple(seen.std), RANGE, (side, side), _named(categories))
    return Found(_still(module), name, loaded.sha256, known, loaded.notes)


def _built_with(name: str) -> dict[str, Any]:
    """What torchvision's builders are told where they load weights themselves."""
    arguments: dict[str, dict[str, Any]] = {
        "googlenet": {"transform_input": True, "aux_logits": False, "init_weights": False},
        "inception": {"transform_input": True, "aux_logits": True, "init_weights": False},
        "vgg": {"init_weights": False},
    }
    return arguments.get(name.partition("_")[0].rstrip("0123456789"), {})


_DENSE = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(\d)\.")


def _today(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names that a DenseNet's parts have today for those in torchvision's files, as its builder does."""
    return {_DENSE.sub(r"\1\2.", name): tensor for name, tensor in state.items()}


# ── timm ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_timm(source: Source, offline: bool, progress: DownloadWatcher | None) -> Found:
    timm = imported("timm", source.text)
    if not timm.is_model(source.name):
        raise _none_of("timm", source.name, timm.list_models())
    tags = [each.partition(".")[2] for each in timm.list_pretrained() if each.partition(".")[0] == source.name]
    if not tags:
        raise UsageError(f"timm has no weights for '{source.name}'", f"give a file of weights of your own, and {hub_config.OWN_CODE}")
    if source.version and source.version not in tags:
        raise unknown(f"tag of timm:{source.name}", source.version, tags, "it has " + ", ".join(tags[:8]))
    config = timm.get_pretrained_cfg(f"{source.name}.{source.version}" if source.version else source.name)
    name = f"timm:{source.name}.{config.tag}" if config.tag else f"timm:{source.name}"
    if config.hf_hub_id:
        repository, _, revision = config.hf_hub_id.partition("@")
        place = hub_files.fetched(repository, config.hf_hub_filename or SAFE, revision or None, offline=offline, progress=progress).path
    elif config.url and not config.custom_load:
        digest = _digest(config.url, name)
        place = download.fetched(config.url, cache_folder() / "weights", digest=digest, offline=offline, progress=progress)
    else:
        raise UsageError(f"the weights of {name} are in a form of their own", "take another tag or network")
    module = _built("timm", source.name, name, lambda: timm.create_model(source.name, pretrained=False, pretrained_cfg=config))
    filtered = getattr(sys.modules[type(module).__module__], "checkpoint_filter_fn", None)  # the file may be older than timm's code
    renamed = None if filtered is None else (lambda state: filtered(dict(state), module))
    return _with_facts(module, name, load_weights(place, module, name=name, renamed=renamed), config.to_dict())


def _of_hub(source: Source, offline: bool, progress: DownloadWatcher | None) -> Found:
    imported("huggingface_hub", source.text)
    said, commit = hub_files.config(source.name, source.version or None, offline=offline)
    config = hub_config.read(said, source.text)
    library, build = _builder(config, source)
    place = hub_files.fetched(source.name, SAFE, commit, offline=offline, progress=progress).path
    name = f"hf:{source.name}@{commit}"
    if library == "timm":  # torchvision's are of the sizes that it has, and some cannot be made without values
        _check_size(place, source, lambda: _built(library, config.architecture, name, build))
    module = _built(library, config.architecture, name, build)
    return _with_facts(module, name, load_weights(place, module, name=name), config.facts)


def _check_size(place: Path, source: Source, build: Callable[[], nn.Module]) -> None:
    """Raise UnsafeError where a config.json asks for a network far larger than its weights, before any of it is made."""
    with torch.device("meta"):  # shapes alone
        size = sum(each.nbytes for each in build().state_dict().values())
    have = place.stat().st_size
    if size > _TIMES * have + _ROOM:
        fault = f"the config.json of '{source.text}' asks for {size / 1e9:.1f} GB, and its weights have {have / 1e9:.1f}"
        raise UnsafeError(fault, "they do not belong together: do not use it")


def _builder(config: Config, source: Source) -> tuple[str, Callable[[], nn.Module]]:
    """The library whose architecture it is, timm where it does not say and both have it; and what builds it."""
    timm, models = imported("timm", source.text), imported("torchvision.models", source.text)
    name, arguments = config.architecture, config.arguments
    if config.library != "torchvision" and timm.is_model(name):
        return "timm", lambda: timm.create_model(name, pretrained=False, pretrained_cfg=hub_config.shaping(config), **arguments)
    if config.library != "timm" and name in models.list_models(module=models):
        if others := arguments.keys() - {"num_classes"}:
            fault = f"the config.json of '{source.text}' asks for '{min(others)}'"
            raise UnsafeError(fault, f"open it on code of your own: {hub_config.OWN_CODE}")
        return "torchvision", lambda: models.get_model(name, weights=None, **{**_built_with(name), **arguments})
    libraries = [config.library] if config.library else list(hub_config.LIBRARIES)
    fault = f"'{source.text}' is a '{name[:60]}', which {' and '.join(libraries)} here {'does' if config.library else 'do'} not have"
    raise InputError(fault, f"{install(*libraries, how='--upgrade')}, or give your own code with {hub_config.OWN_CODE}")


def _with_facts(module: nn.Module, name: str, loaded: Loaded, facts: Mapping[str, Any]) -> Found:
    """A network with its weights, and what timm's facts, or a config.json of the same shape, say of it."""
    shape = facts.get("input_size")
    channels, height, width = (int(each) for each in shape) if are_numbers(shape) and len(shape) == 3 else (0, 0, 0)
    mean, std = (_for_channels(facts.get(each), channels) for each in ("mean", "std"))
    if mean is None or std is None or min(std) <= 0:
        mean = std = None
    size = (height, width) if 0 < height <= LONGEST_SIDE and 0 < width <= LONGEST_SIDE else None
    count = getattr(module, "num_classes", facts.get("num_classes"))  # torchvision's do not all say it
    known = Preprocessing(mean, std, RANGE, size, _named(_labels(facts, count)))
    return Found(_still(module), name, loaded.sha256, known, loaded.notes)


def _for_channels(given: Any, channels: int) -> tuple[float, ...] | None:
    """One number for each channel; None where that is not what is said."""
    if not are_numbers(given) or not given:
        return None
    if channels and len(given) != channels:
        return (float(given[0]),) * channels if len(set(given)) == 1 else None
    return tuple(float(each) for each in given)


def _labels(facts: Mapping[str, Any], count: Any) -> Sequence[str]:
    """The names of the classes: those in its facts, else those of the part of ImageNet it was trained on."""
    names, descriptions = facts.get("label_names"), facts.get("label_descriptions")
    if isinstance(names, (list, tuple)) and len(names) == count and all(isinstance(each, str) for each in names):
        described = descriptions if isinstance(descriptions, dict) else {}
        return [str(described.get(each, each)) for each in names]
    data = importlib.import_module("timm.data")
    subset = data.infer_imagenet_subset(dict(facts)) if count and "num_classes" in facts else None
    if subset is None:
        return ()
    info = data.ImageNetInfo(subset)
    return [info.index_to_description(index) for index in range(count)] if info.num_classes() == count else ()


# ── all ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _built(library: str, architecture: str, name: str, build: Callable[[], nn.Module]) -> nn.Module:
    try:
        with torch.random.fork_rng(devices=[]):
            return build()
    except (RuntimeError, TypeError, ValueError, AssertionError, LookupError, ArithmeticError, AttributeError) as error:
        fault = f"{library} cannot build '{architecture}' as {name} asks for it: {first_line(error)}"
        raise InputError(fault, install(library, how="--upgrade")) from error


def _digest(url: str, name: str) -> str:
    """The beginning of the sha256 that stands in the file's name."""
    digest = _DIGEST.search(url.rpartition("/")[2])
    if digest is None:
        raise UnsafeError(f"the file of {name} has no hash in its name, so it cannot be verified", "take another tag or network")
    return digest[1]


def _still(module: nn.Module) -> nn.Module:
    return module.eval().requires_grad_(False)


def _named(labels: Sequence[str]) -> tuple[tuple[str, ...], ...] | None:
    """Names of classes; those of ImageNet with their synonyms, and all different. None where there are none."""
    known = label_names.imagenet() if len(labels) == 1000 else ()
    same = sum(
        bool({part.strip().casefold() for part in label.split(",")} & {each.casefold() for each in names})
        for label, names in zip(labels, known, strict=False)
    )
    return known if same > 900 else tuple((each,) for each in labels) or None


def _none_of(zoo: str, name: str, names: Sequence[str]) -> UsageError:
    near = nearest(name, names)
    see = f"`python -c 'import {zoo}'` and its list_models() name them"
    return UsageError(f"no network '{zoo}:{name[:60]}'", did_you_mean(f"{zoo}:{each}" for each in near) if near else see)
