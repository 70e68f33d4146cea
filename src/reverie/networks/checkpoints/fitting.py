"""Which tensors of a checkpoint are a module's: under whatever entry they lie, whatever wrappers have put into their names.

Names alone decide, and shapes: those of the module must all be there, once, with something before them all, or with the same words between.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from torch import Tensor

from reverie.errors import InputError
from reverie.networks.checkpoints.claims import LONGEST, UNCOUNTED, Claim, compare, no_weights, of_numpy, refused
from reverie.networks.checkpoints.stand_ins import StandIn

FIRST = ("state_dict", "model_state_dict", "model")  # entries that are taken before others
_AVERAGED = ("ema", "averag", "swa", "teacher", "shadow")  # and after
_WRAPPERS = frozenset({"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"})
_DEEP, _LISTED = 12, 64  # levels of dictionaries, and elements of a list, that are looked into
_MOST = 8  # ways that are told apart
_ADAPTERS = ("lora_", "loha_", "lokr_", "hada_w", "adapter_")


@dataclass
class Found:
    """The tensors of a checkpoint.

    Attributes:
        tensors: by the names that lead to them, with dots between.
        groups: of each, the names that lead to the dictionary that it lies in.
        networks: where a whole network lies, which is never read.
        holds: in words, what it is if it is no dictionary.
        arrays: whether arrays of NumPy are in it, which are not read.
    """

    tensors: dict[str, Claim] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    networks: list[str] = field(default_factory=list)
    holds: str = ""
    arrays: bool = False

    def within(self, entry: str) -> Found:
        """What lies under an entry."""
        inside = {name: each for name, each in self.tensors.items() if name.startswith(f"{entry}.")}
        return Found(inside, {name: self.groups[name] for name in inside}, self.networks, self.holds, self.arrays)

    def entries(self) -> list[str]:
        """Names of the dictionaries with tensors."""
        return [each for each in dict.fromkeys(self.groups.values()) if each]


@dataclass(frozen=True)
class Fit:
    """A way in which the tensors of a module are there.

    Attributes:
        entry: what leads to them; empty where they are all there is.
        names: by the module's own names, those in the file.
        beside: names of others that lie in the same dictionaries.
    """

    entry: str
    names: dict[str, str]
    beside: tuple[str, ...] = ()

    @property
    def theirs(self) -> dict[str, str]:
        """The module's own names by those in the file."""
        return {theirs: mine for mine, theirs in self.names.items()}


def gathered(value: Any) -> Found:
    """The tensors in what a file holds."""
    found = Found(holds=type(value).__name__ if not isinstance(value, StandIn) else value.word.rpartition(" ")[2])
    _gather(value, "", found, set(), 0)
    return found


def _gather(value: Any, path: str, found: Found, seen: set[int], depth: int) -> None:
    if isinstance(value, StandIn) and value.is_network:
        found.networks.append(path)
    found.arrays |= isinstance(value, StandIn) and value.word.endswith(".multiarray _reconstruct")
    inside = value.entries if isinstance(value, StandIn) else value
    if isinstance(value, (list, tuple)) and len(value) <= _LISTED:
        inside = dict(enumerate(value))
    if id(value) in seen or depth > _DEEP or not isinstance(inside, dict):
        return
    seen.add(id(value))
    for key, each in inside.items():
        name = f"{path}.{key}" if path else str(key)
        if len(name) > LONGEST:
            continue
        if isinstance(each, Claim):
            if found.tensors.setdefault(name, each) is each:
                found.groups.setdefault(name, path)
        else:
            _gather(each, name, found, seen, depth + 1)


def fits(found: Found, own: Mapping[str, Tensor], ignore: Collection[str] = ()) -> list[Fit]:
    """Every way in which all tensors of a module are there, the one that is taken first."""
    skipped = tuple(ignore)
    asked = {each: tuple(tensor.shape) for each, tensor in own.items() if not each.startswith(skipped)}
    needed = [each for each in asked if each.rpartition(".")[2] != UNCOUNTED]
    if not needed:
        return [Fit("", {})]
    for spelt in _spellings(list(asked)):
        for ways in (_before_all, _between):
            ordered: dict[tuple[str, ...], Fit] = {}
            for entry, names in ways(found.tensors, found.groups, {own_name: spelt[own_name] for own_name in needed}, spelt):
                if all(tuple(found.tensors[theirs].shape) == asked[mine] for mine, theirs in names.items()):
                    ordered.setdefault(tuple(names.values()), Fit(entry, names))
            if ordered:
                return _with_beside(sorted(ordered.values(), key=_rank)[:_MOST], found)
    return []


def _rank(fit: Fit) -> tuple[bool, bool, int]:
    last = fit.entry.rpartition(".")[2]
    averaged = any(each in fit.entry.lower() for each in _AVERAGED)
    return averaged, bool(fit.entry), FIRST.index(last) if last in FIRST else len(FIRST)


def _with_beside(ways: list[Fit], found: Found) -> list[Fit]:
    used = {name for each in ways for name in each.names.values()}
    made = []
    for each in ways:
        groups = {found.groups[name] for name in each.names.values()}
        beside = tuple(name for name, group in found.groups.items() if group in groups and name not in used)
        made.append(Fit(each.entry, each.names, beside))
    return made


def _spellings(own: list[str]) -> Iterator[dict[str, str]]:
    """The module's names as a file may have them: as they are, without words of wrappers, without what all begin with."""
    yield {each: each for each in own}
    bare = {each: ".".join(part for part in each.split(".") if part not in _WRAPPERS) for each in own}
    if all(bare.values()) and len(set(bare.values())) == len(own) and list(bare) != list(bare.values()):
        yield bare
    parts = [each.split(".") for each in own]
    shared = 0
    while all(len(each) > shared + 1 and each[shared] == parts[0][shared] for each in parts):
        shared += 1
        yield {each: ".".join(words[shared:]) for each, words in zip(own, parts, strict=True)}


_Ways = Iterator[tuple[str, dict[str, str]]]  # an entry, and by the module's names those in the file


def _before_all(tensors: Mapping[str, Claim], _groups: Mapping[str, str], needed: Mapping[str, str], all_names: Mapping[str, str]) -> _Ways:
    """The module's names with the same before them all."""
    longest = max(needed.values(), key=len)
    for name in tensors:
        if name == longest or name.endswith(f".{longest}"):
            before = name[: -len(longest)]
            if all(before + each in tensors for each in needed.values()):
                yield before.rstrip("."), {mine: before + each for mine, each in all_names.items() if before + each in tensors}


def _between(tensors: Mapping[str, Claim], groups: Mapping[str, str], needed: Mapping[str, str], all_names: Mapping[str, str]) -> _Ways:
    """The module's names with words between that it does not have: first those of wrappers, then whichever, within each dictionary."""
    words = {part for each in needed.values() for part in each.split(".")} | {UNCOUNTED}
    without = {name: ".".join(part for part in name.split(".") if part not in _WRAPPERS or part in words) for name in tensors}
    theirs: dict[str, str] = {}
    for name, each in without.items():
        theirs.setdefault(each, name)
    stripped = {each: tensors[name] for each, name in theirs.items()}
    ways = list(_before_all(stripped, {}, needed, all_names))
    for entry, names in ways:
        yield entry, {mine: theirs[each] for mine, each in names.items()}
    if ways:
        return
    inside: dict[str, list[str]] = {"": list(tensors)}
    for name, group in groups.items():
        for root in _above(group):
            inside.setdefault(root, []).append(name)
    for root, members in inside.items():
        if len(members) < len(needed):
            continue
        found: dict[str, str | None] = {}
        for name in members:
            rest = name[len(root) + 1 :] if root else name
            each = ".".join(part for part in rest.split(".") if part in words)
            found[each] = None if each in found else name
        if all(found.get(each) for each in needed.values()):
            yield root, {mine: theirs_here for mine, each in all_names.items() if (theirs_here := found.get(each))}


def _above(group: str) -> list[str]:
    parts = group.split(".")
    return [".".join(parts[: each + 1]) for each in range(min(len(parts), _DEEP))] if group else []


def main_entry(found: Found) -> dict[str, str]:
    """Where no module says which, the names of the tensors that are meant, and their names in their dictionary."""
    groups = list(dict.fromkeys(found.groups.values()))
    for first in FIRST:
        groups.sort(key=lambda each: each.rpartition(".")[2] != first)
    main = next((each for each in groups if each.rpartition(".")[2] in FIRST), groups[0])
    return {name: name.removeprefix(f"{main}.") if main else name for name, group in found.groups.items() if group == main}


def explain(found: Found, own: Mapping[str, Tensor], ignore: Collection[str], name: str, network: str) -> NoReturn:
    """Raise for a file in which a module's tensors are not: what it is instead, or what is missing."""
    check_holds(found, name)
    if any(part.startswith(_ADAPTERS) for each in found.tensors for part in each.split(".")):
        fault = f"'{name}' holds an adapter (as LoRA's), which changes the weights of another network, and no network's own"
        raise InputError(fault, "merge it into its network first (PEFT: merge_and_unload()), and save that")
    root, best = "", dict[str, str]()
    for spelt in _spellings(list(own)):
        mine = {each: key for key, each in spelt.items()}
        here: dict[str, dict[str, str]] = {}
        for each in found.tensors:
            parts = each.split(".")
            for at in range(min(len(parts), _DEEP)):
                if (key := mine.get(".".join(parts[at:]))) is not None:
                    here.setdefault("".join(f"{part}." for part in parts[:at]), {}).setdefault(key, each)
        for start, names in here.items():
            if len(names) > len(best):
                root, best = start, names
    taken = {theirs: key for key, theirs in best.items()}
    groups = {found.groups[each] for each in taken} or set(found.groups.values())
    near = {each: claim for each, claim in found.tensors.items() if found.groups[each] in groups and each.startswith(root)}
    compare({taken.get(each, each.removeprefix(root)): claim for each, claim in near.items()}, own, ignore, name, network)
    raise refused(name, f"has weights that do not fit {network}", "they belong to another network, or to another definition of it")


def check_holds(found: Found, name: str) -> None:
    """Raise for a file without tensors that have names."""
    if found.networks and (not found.tensors or found.networks == [""]):
        where = f" under '{found.networks[0]}'" if found.networks[0] else ""
        remedy = "save its weights alone: torch.save(model.state_dict(), …)"
        raise refused(name, f"holds a whole network{where}, and reading one runs the code that it names", remedy)
    if not found.tensors:
        if found.arrays:
            raise of_numpy(name)
        what = f" but a {found.holds}" if found.holds not in ("dict", "NoneType") else ""
        raise no_weights(name, f"holds no dictionary of weights{what}")
