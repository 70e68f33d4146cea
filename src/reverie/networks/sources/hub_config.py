"""What a stranger's config.json says of a network on the hub: architecture, sizes and labels, each checked. Nothing in it is run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from reverie.errors import InputError, UnsafeError, choice

LIBRARIES = ("timm", "torchvision")
OWN_CODE = choice("definition", "package.module:function")  # what a user can give instead
MOST = 32768  # of any number
# what may be handed to timm's builders
_ALLOWED = frozenset({
    "act_layer", "aa_layer", "block_size", "class_token", "depth", "depths", "dims", "drop_path_rate", "drop_rate",
    "dynamic_img_size", "embed_dim", "fc_norm", "global_pool", "img_size", "in_chans", "init_values", "mlp_ratio", "no_embed_class",
    "norm_layer", "num_classes", "num_heads", "output_stride", "patch_size", "pos_embed", "pre_norm", "qk_norm", "qkv_bias", "reg_tokens",
    "strict_img_size", "window_size",
})  # fmt: skip
# of its facts, likewise
_SHAPING = ("input_size", "fixed_input_size", "num_classes", "pool_size", "first_conv", "classifier", "mean", "std")


@dataclass(frozen=True)
class Config:
    """Whose architecture it is (empty: it does not say), how pictures go in and what comes out, and what its builder is told."""

    library: str
    architecture: str
    facts: dict[str, Any]
    arguments: dict[str, Any]


def read(said: Mapping[str, Any], text: str) -> Config:
    """Check a config.json that `hub.config` gave.

    Args:
        text: the network, as a user writes it.

    Raises:
        InputError: it is of another library. UnsafeError: it asks for what is not handed on.
    """
    library = said.get("library_name", "")
    if not isinstance(said.get("architecture"), str) or library not in ("", *LIBRARIES):
        kind = said.get("model_type") or library
        what = f"a model of another library ({str(kind)[:40]})" if kind else "no model of timm or torchvision"
        remedy = f"their config.json names the 'architecture'; for code of your own give {OWN_CODE}"
        raise InputError(f"'{text}' is {what}", remedy)
    facts = dict(said["pretrained_cfg"]) if isinstance(said.get("pretrained_cfg"), dict) else dict(said)
    for each in ("num_classes", "label_names", "label_descriptions"):
        if each in said:
            facts[each] = said[each]
    arguments = dict(said["model_args"]) if isinstance(said.get("model_args"), dict) else {}
    if isinstance(facts.get("num_classes"), int):
        arguments.setdefault("num_classes", facts["num_classes"])
    if isinstance(said.get("global_pool"), str):
        arguments.setdefault("global_pool", said["global_pool"])
    for key, value in arguments.items():
        if key not in _ALLOWED or not _is_plain(value):
            raise UnsafeError(f"the config.json of '{text}' asks for '{str(key)[:40]}'", f"open it on code of your own: {OWN_CODE}")
    if isinstance(arguments.get("in_chans"), int) and are_numbers(facts.get("input_size")):
        facts["input_size"] = (arguments["in_chans"], *facts["input_size"][1:])
    return Config(library, said["architecture"], facts, arguments)


def shaping(config: Config) -> dict[str, Any]:
    """What timm's own `pretrained_cfg` may be told: no file and no address."""
    known = {each: config.facts[each] for each in _SHAPING if each in config.facts and _is_plain(config.facts[each])}
    return {"architecture": config.architecture, **known}


def are_numbers(given: Any) -> TypeGuard[Sequence[float]]:
    """Whether it is a row of numbers, none of them absurd."""
    return isinstance(given, (list, tuple)) and all(isinstance(each, (int, float)) and abs(each) < MOST for each in given)


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) <= 16 and all(_is_plain(each) and not isinstance(each, (list, tuple)) for each in value)
    if isinstance(value, str):
        return re.fullmatch(r"[A-Za-z0-9_.]{0,40}", value) is not None
    return value is None or isinstance(value, bool) or (isinstance(value, (int, float)) and abs(value) <= MOST)
