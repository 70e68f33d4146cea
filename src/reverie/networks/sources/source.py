"""Where a network comes from, read from what a user wrote. Looks nothing up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reverie.errors import UsageError, choice, did_you_mean, nearest, printable, unknown
from reverie.networks.builtin.catalogue import CATALOGUE, KNOWN
from reverie.store import expanded

Kind = Literal["built-in", "torchvision", "timm", "hf", "file"]
ZOOS: tuple[Kind, ...] = ("torchvision", "timm", "hf")
SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".pt2")
LONGEST = 200  # characters of a name in a recipe
_SEE = "`reverie networks` lists them; files of weights end in " + " ".join(SUFFIXES[:-1])
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPOSITORY = re.compile(rf"{_PART}/{_PART}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Source:
    """Where a network comes from.

    Attributes:
        kind: `built-in`, one of ZOOS, or `file`.
        name: its name there; of the hub `owner/name`, of a file its path.
        version: of torchvision the name of its weights, of timm the tag, of the hub the revision, of a file the entry of a checkpoint;
            empty for the usual one.
    """

    kind: Kind
    name: str
    version: str = ""

    @property
    def text(self) -> str:
        """As a user writes it."""
        if self.kind not in ZOOS:
            return f"{self.name}#{self.version}" if self.version else self.name
        return f"{self.kind}:{self.name}" + (("." if self.kind == "timm" else "@") + self.version if self.version else "")

    @property
    def usual(self) -> str:
        """As a user writes it, whichever weights are meant."""
        return Source(self.kind, self.name).text

    @property
    def place(self) -> Path:
        """The path of a file."""
        return expanded(self.name)

    @property
    def called(self) -> str:
        """As messages call it: of a file the name without its folders."""
        return self.place.name + f"#{self.version}" * bool(self.version) if self.kind == "file" else self.text

    @property
    def is_zoo(self) -> bool:
        """Whether its weights may have to be downloaded."""
        return self.kind in ZOOS


def source(text: str) -> Source:
    """What a user means by the name of a network.

    A built-in name; `torchvision:NAME[@WEIGHTS]`; `timm:NAME[.TAG]`; `hf:OWNER/NAME[@REVISION]`; else a file, or a folder: what ends as
    weights do, or is there; with `#ENTRY` for one of several in a checkpoint.

    Raises:
        UsageError: none of these, with the nearest name.
    """
    if text in CATALOGUE:
        return Source("built-in", text)
    if not text.strip():
        raise UsageError("a network without a name", _SEE)
    zoo, colon, rest = text.partition(":")
    if colon and zoo in ZOOS:
        return _in_zoo(zoo, rest)
    place, mark, entry = text.rpartition("#")
    if mark and place and not _is_there(expanded(text)) and (_ends_as_weights(place) or _is_there(expanded(place))):
        if not entry:
            raise UsageError(f"'{_brief(text)}' ends in '#' without an entry", "leave out the '#', or say which after it")
        return Source("file", place, entry)
    if _ends_as_weights(text) or (not text.endswith(".py") and _is_there(expanded(text))):
        return Source("file", text)
    raise _no_such(text, zoo if colon else "", rest)


def is_same(name: str, asked: str) -> bool:
    """Whether a network of this name is what was asked for: a name without a version means any."""
    if name == asked:
        return True
    try:
        have, want = source(name), source(asked)
    except UsageError:
        return False
    return have.usual == want.usual and want.version in ("", have.version)


def _in_zoo(zoo: str, rest: str) -> Source:
    example = {"torchvision": "torchvision:googlenet", "timm": "timm:resnet50.a1_in1k", "hf": "hf:timm/resnet18.a1_in1k"}[zoo]
    like = f"write it like {example}"
    if not rest:
        raise UsageError(f"'{zoo}:' without a name", like)
    if zoo == "timm":
        name, dot, version = rest.partition(".")
        if "@" in rest:
            raise UsageError(f"'timm:{_brief(rest)}': a timm model's weights are named by a tag after a dot", like)
        sign, called = dot, "tag"
    else:
        name, sign, version = rest.partition("@")
        called = "revision" if zoo == "hf" else "name of weights"
    if sign and not version:
        raise UsageError(f"'{zoo}:{_brief(rest)}' ends in '{sign}' without a {called}", f"leave out the '{sign}', or say which after it")
    if zoo == "hf" and name.count("/") != 1:
        fault = "no owner" if "/" not in name else "more than an owner and a name"
        raise UsageError(f"'hf:{_brief(rest)}' has {fault}", "write it like hf:owner/name, or hf:owner/name@revision")
    if not (_REPOSITORY if zoo == "hf" else _NAME).fullmatch(name) or ".." in name:
        raise UsageError(f"'{zoo}:{_brief(name)}' is no name of a network there", like)
    if version and (not _REVISION.fullmatch(version) or ".." in version):
        raise UsageError(f"'{_brief(version)}' is no {called}", like)
    return Source("timm" if zoo == "timm" else "hf" if zoo == "hf" else "torchvision", name, version)


def _no_such(text: str, before: str, rest: str) -> UsageError:
    code = before or (text if text.endswith(".py") else "")
    if code.endswith(".py") or (code and _is_there(Path(code.replace(".", "/") + ".py"))):
        module = code.removesuffix(".py").replace("/", ".")
        own = choice("definition", f"{module}:{rest or 'function'}")
        remedy = f"{choice('network', 'FILE')} names its weights, and {own} the code"
        raise UsageError(f"'{_brief(text)}' is code, and no weights", remedy)
    near = nearest(before, ZOOS) if before else []
    if near:
        return UsageError(f"no zoo '{_brief(before)}'", f"did you mean '{near[0]}:{_brief(rest)}'?")
    bare = [name for name in KNOWN if name.partition(":")[2] == text]
    if bare:
        return UsageError(f"no network '{text}'", did_you_mean(bare))
    if "/" in text and _REPOSITORY.fullmatch(text.partition("@")[0]):
        return UsageError(f"no network '{_brief(text)}', and no such file", f"if it is on the Hugging Face hub: hf:{_brief(text)}")
    return unknown("network", _brief(text), [*CATALOGUE, *KNOWN], _SEE)


def _ends_as_weights(text: str) -> bool:
    return Path(text).suffix.lower() in SUFFIXES


def _is_there(place: Path) -> bool:
    try:
        return place.is_file() or place.is_dir()
    except (OSError, ValueError):  # a name that can be none
        return False


def _brief(text: str) -> str:
    return printable(text if len(text) <= 80 else text[:79] + "…")
