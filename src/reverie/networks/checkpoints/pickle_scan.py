"""Pickles of torch.save looked at, word by word, and never run: what they would make, or why they are refused.

A pickle is a program. This reader knows the words that a state dict needs, and what each may be given: it keeps a stack as an
unpickler does, but puts a Claim where that would make a tensor, and a StandIn where it would make what may lie beside tensors. Whatever
else comes up is refused. No other reader is ever given the program: the numbers are taken from where the Claims say that they lie.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from reverie.networks.checkpoints.claims import LONGEST, Claim, brief, damaged, refused
from reverie.networks.checkpoints.stand_ins import Global, StandIn, may_stand, stand_in

WORDS = 400_000  # opcodes and copied elements in one file: a state dict has about 35 for each tensor, and each takes some microseconds
DEEP = 200  # open lists, dicts and tuples
_STORAGES = {
    "Float": torch.float32, "Double": torch.float64, "Half": torch.float16, "BFloat16": torch.bfloat16, "Long": torch.int64,
    "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8, "Bool": torch.bool,
}  # fmt: skip
_KINDS = {f"torch {name}Storage": dtype for name, dtype in _STORAGES.items()}
_OLD = {f"torch {name}Tensor": dtype for name, dtype in _STORAGES.items()}  # before torch 0.2, made empty and then BUILT
_REBUILD = ("torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2")
_MEMBER = {"builtins getattr", "__builtin__ getattr"}
_PARAMETERS, _PARAMETER = "torch._utils _rebuild_parameter", "torch.nn.parameter Parameter"
_ORDERED, _COUNTER, _SIZE, _DEVICE = "collections OrderedDict", "collections Counter", "torch Size", "torch device"
_MADE = {*_REBUILD, _PARAMETERS, _PARAMETER, _ORDERED, _COUNTER, _SIZE, _DEVICE, *_KINDS, *_OLD}
_PLAIN = {f"torch {str(each).removeprefix('torch.')}" for each in _STORAGES.values()}
_RE_SAVE = "save its weights alone: torch.save(model.state_dict(), …), or as .safetensors"


@dataclass(frozen=True)
class Stored:
    """A storage that the pickle points to."""

    key: str
    dtype: torch.dtype
    count: int  # elements

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * self.dtype.itemsize


class PickleReader:
    """Reads pickles out of `content`, one after the other.

    Args:
        content: the bytes, from the first pickle on; others may follow.
        name: of the file, for messages.
        old: whether it is of before torch 1.6, which told of each storage whether it is a view.
    """

    def __init__(self, content: bytes, name: str, old: bool = False) -> None:
        self.name = name
        self.old = old
        self.storages: dict[str, Stored] = {}
        self._file = io.BytesIO(content)
        self._spent = 0
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    @property
    def position(self) -> int:
        """Where the last pickle ended."""
        return self._file.tell()

    def value(self) -> Any:
        """The next pickle's value: plain ones as they are, tensors as Claims.

        Raises:
            InputError: it is damaged. UnsafeError: it holds a word that no state dict needs, or is too long.
        """
        self._stack, self._marks, self._memo = [], [], {}
        self._unused = ""  # what is only good for members of enums, and has not been called for one
        ended = False
        try:
            for code, given, _ in pickletools.genops(self._file):
                self._spend(1)
                self._follow(code.name, given)
                ended = code.name == "STOP"
            if not ended or len(self._stack) != 1 or self._marks:
                raise damaged(self.name, "is damaged: its pickle does not end well")
            if self._unused:
                raise refused(self.name, f"would call {self._unused} when it is read", _RE_SAVE)
            return self._stack[0]
        except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
            raise damaged(self.name, "is damaged: its pickle cannot be followed") from error

    def _spend(self, words: int) -> None:
        self._spent += words
        if self._spent > WORDS:
            raise refused(self.name, f"is a pickle of more than {WORDS:,} words", _RE_SAVE)

    def _follow(self, word: str, given: Any) -> None:
        if word in _CONSTANTS:
            self._stack.append(_CONSTANTS[word])
        elif word in _GIVEN:
            self._stack.append(given)
        elif word in _ACTIONS:
            _ACTIONS[word](self, given)
        elif not (word == "STOP" or (word == "PROTO" and given == 2)):
            called = f"{word} {given}" if word == "PROTO" else word
            raise refused(self.name, f"is a pickle with the word {called}, which torch does not write", _RE_SAVE)

    # ── what the words of a pickle do ────────────────────────────────────────────────────────────────────────────────────

    def _put(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def _get(self, place: int) -> None:
        self._stack.append(self._memo[place])

    def _mark(self, _: None) -> None:
        if len(self._marks) >= DEEP:
            raise refused(self.name, f"is nested deeper than {DEEP}", _RE_SAVE)
        self._marks.append(self._stack)
        self._stack = []

    def _empty_list(self, _: None) -> None:
        self._stack.append([])

    def _empty_dict(self, _: None) -> None:
        self._stack.append({})

    def _tuple(self, _: None) -> None:
        made = tuple(self._marked())
        self._stack.append(made)

    def _tuple_of(self, count: int) -> None:
        self._stack.append(tuple(self._taken(count)))

    def _append(self, _: None) -> None:
        item = self._stack.pop()
        self._list("APPEND").append(item)

    def _appends(self, _: None) -> None:
        items = self._marked()
        self._list("APPENDS").extend(items)

    def _set_item(self, _: None) -> None:
        items = self._taken(2)
        self._set(self._dictionary("SETITEM"), items)

    def _set_items(self, _: None) -> None:
        items = self._marked()
        self._set(self._dictionary("SETITEMS"), items)

    def _name_global(self, word: str) -> None:
        self._stack.append(self._global(word))

    def _point(self, _: None) -> None:
        pid = self._stack.pop()
        of_module = self.old and type(pid) is tuple and len(pid) == 4 and pid[0] == "module" and isinstance(pid[1], Global)
        self._stack.append(pid[1] if of_module else self._storage(pid))  # old torch wrote the code beside a module's class

    def _call(self, _: None, new: bool = False) -> None:
        function, arguments = self._taken(2)
        if not isinstance(function, Global) or type(arguments) is not tuple:
            raise refused(self.name, "calls what is no function")
        if function.word in _MEMBER:  # as Pythons before 3.11.4 wrote a member of an enum: its class and its name
            of_class = (
                len(arguments) == 2 and isinstance(arguments[0], Global) and type(arguments[1]) is str and may_stand(arguments[0].word)
            )
            if not of_class:
                raise refused(self.name, f"would call {function.word.replace(' ', '.', 1)} when it is read", _RE_SAVE)
            self._stack.append(StandIn(arguments[0].word))
            self._unused = ""
            return
        if new and function.word in _MADE - {_PARAMETER}:
            raise refused(self.name, f"makes a {brief(function.word)} in an unusual way", _RE_SAVE)
        self._stack.append(self._called(function.word, arguments) if function.word in _MADE else stand_in(function.word, arguments))

    def _build_last(self, _: None) -> None:
        state = self._stack.pop()
        self._build(state, self._stack[-1])

    # ── what may be made ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _global(self, word: str) -> Any:
        if word in _PLAIN:
            return getattr(torch, word.split(" ")[1])
        if word in _MEMBER:
            self._unused = word.replace(" ", ".", 1)
        elif word not in _MADE and not may_stand(word):
            raise refused(self.name, f"would call {brief(word.replace(' ', '.', 1))} when it is read", _RE_SAVE)
        return Global(word)

    def _storage(self, pid: Any) -> Stored:
        """('storage', kind, key, location, elements), and in old files None for no view of another storage."""
        if type(pid) is not tuple or len(pid) != 5 + self.old or pid[0] != "storage" or (self.old and pid[5] is not None):
            raise refused(self.name, "points to something that is no storage", _RE_SAVE)
        _, kind, key, location, count = pid[:5]
        if not isinstance(kind, Global) or kind.word not in _KINDS or type(key) is not str or type(location) is not str:
            raise refused(self.name, "has a storage of an unknown kind", _RE_SAVE)
        if not key or len(key) > LONGEST or type(count) is not int or not 0 <= count < 1 << 56:
            raise refused(self.name, "has a storage of a size that cannot be")
        stored = Stored(key, _KINDS[kind.word], count)
        if self.storages.setdefault(key, stored) != stored:
            raise refused(self.name, f"describes the storage {brief(key)} in two ways")
        return stored

    def _called(self, word: str, arguments: tuple[Any, ...]) -> Any:
        """What a call makes; each maker gives `_NOTHING` for arguments that it does not know."""
        made = self._made(word, arguments)
        if made is _NOTHING:
            raise refused(self.name, f"calls {brief(word.replace(' ', '.'))} with something unusual", _RE_SAVE)
        return made

    def _made(self, word: str, arguments: tuple[Any, ...]) -> Any:
        if word in _REBUILD:
            return self._tensor(*self._checked(arguments, 4 if word == _REBUILD[0] else 6))
        if word in (_PARAMETERS, _PARAMETER):
            return self._parameter(arguments)
        if word in (_ORDERED, _COUNTER) and len(arguments) <= 1:
            return self._ordered(arguments) if word == _ORDERED else self._counter(arguments)
        if word == _SIZE and len(arguments) == 1:
            return self._sides(arguments[0])
        if word == _DEVICE and 1 <= len(arguments) <= 2 and arguments[0] in ("cpu", "cuda", "mps"):
            return None
        return Claim(_OLD[word], (0,), (1,)) if word in _OLD and not arguments else _NOTHING

    def _parameter(self, arguments: tuple[Any, ...]) -> Any:
        tensor = arguments[0] if arguments else None
        return tensor if isinstance(tensor, Claim) and len(arguments) <= 3 and _are_empty(arguments[1:]) else _NOTHING

    def _ordered(self, arguments: tuple[Any, ...]) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        pairs = self._of_type(arguments[0], list, _ORDERED) if arguments else []
        self._spend(len(pairs))
        for pair in pairs:
            if type(pair) not in (list, tuple) or len(pair) != 2:
                raise refused(self.name, "has a dictionary that is none")
            self._set(made, list(pair))
        return made

    def _counter(self, arguments: tuple[Any, ...]) -> dict[Any, Any]:
        counts = self._of_type(arguments[0] if arguments else {}, dict, _COUNTER)
        self._spend(len(counts))
        return dict(counts)

    def _checked(self, arguments: tuple[Any, ...], count: int) -> list[Any]:
        """The first four, where those that follow are what plain tensors have: (requires_grad, no hooks[, no metadata])."""
        if len(arguments) not in (count, count + (count == 6)):
            raise refused(self.name, "has a tensor that is made in an unusual way", _RE_SAVE)
        if count == 6 and (
            type(arguments[4]) is not bool or arguments[5] != {} or (len(arguments) == 7 and arguments[6] not in (None, {}))
        ):
            raise refused(self.name, "has a tensor with hooks or metadata", _RE_SAVE)
        return list(arguments[:4])

    def _tensor(self, stored: Any, offset: Any, shape: Any, stride: Any) -> Claim:
        if not isinstance(stored, Stored) or type(offset) is not int:
            raise refused(self.name, "has a tensor without a storage")
        claim = Claim(stored.dtype, self._sides(shape), self._sides(stride), offset, stored.count, stored.key)
        if problem := claim.problem():
            raise refused(self.name, f"has a tensor that {problem}")
        return claim

    def _sides(self, sides: Any) -> tuple[int, ...]:
        if type(sides) is not tuple or len(sides) > 16 or any(type(each) is not int for each in sides):
            raise refused(self.name, "has a tensor of a shape that cannot be")
        return sides

    def _build(self, state: Any, target: Any) -> None:
        """What is set on an object after it was made."""
        if isinstance(target, StandIn):
            target.is_network = target.is_network or (type(state) is dict and {"_modules", "_parameters"} <= set(state))
        elif isinstance(target, Claim) and type(state) is tuple and len(state) == 4:
            made = self._tensor(*state)
            if made.dtype != target.dtype:
                raise refused(self.name, "has a tensor over a storage of another kind")
            target.shape, target.stride, target.offset, target.room, target.key = made.shape, made.stride, made.offset, made.room, made.key
        elif isinstance(target, dict) and type(state) is dict and set(state) <= {"_metadata"}:
            pass  # versions of modules, which nothing here asks for
        elif (
            isinstance(target, Claim)
            and type(state) is tuple
            and len(state) == 3
            and all(each in (True, False, None, {}) for each in state)
        ):
            pass  # requires_grad, volatile and no hooks, of a Parameter before torch 0.4
        else:
            raise refused(self.name, "sets the inside of an object", _RE_SAVE)

    def _set(self, target: dict[Any, Any], items: list[Any]) -> None:
        if len(items) % 2:
            raise IndexError
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in (str, int):
                continue  # nothing that is looked for lies there; and to hash a tuple can take for ever
            if type(key) is str and len(key) > LONGEST:
                raise refused(self.name, "has a dictionary with a key that is no name", _RE_SAVE)
            if key in target:
                raise refused(self.name, f"has two entries named {brief(key)}")
            target[key] = value

    def _dictionary(self, word: str) -> dict[Any, Any]:
        """The last that was pushed, which is one, or stands for one."""
        last = self._stack[-1]
        return last.entries if isinstance(last, StandIn) else self._of_type(last, dict, word)

    def _list(self, word: str) -> list[Any]:
        last = self._stack[-1]
        return [] if isinstance(last, StandIn) else self._of_type(last, list, word)

    def _of_type(self, value: Any, kind: type[Any], word: str) -> Any:
        if type(value) is not kind:
            raise refused(self.name, f"has the word {word} where there is no {kind.__name__}")
        return value

    def _marked(self) -> list[Any]:
        """What was pushed since the last mark."""
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _taken(self, count: int) -> list[Any]:
        """The last so many that were pushed."""
        if len(self._stack) < count:
            raise IndexError
        items = self._stack[-count:]
        del self._stack[-count:]
        return items


_NOTHING = object()
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_GIVEN = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING"}  # the word carries the value
_ACTIONS: dict[str, Callable[[PickleReader, Any], None]] = {
    "BINPUT": PickleReader._put, "LONG_BINPUT": PickleReader._put, "BINGET": PickleReader._get, "LONG_BINGET": PickleReader._get,
    "MARK": PickleReader._mark, "EMPTY_LIST": PickleReader._empty_list, "EMPTY_DICT": PickleReader._empty_dict,
    "TUPLE": PickleReader._tuple, "TUPLE1": lambda reader, _: reader._tuple_of(1), "TUPLE2": lambda reader, _: reader._tuple_of(2),
    "TUPLE3": lambda reader, _: reader._tuple_of(3), "APPEND": PickleReader._append, "APPENDS": PickleReader._appends,
    "SETITEM": PickleReader._set_item, "SETITEMS": PickleReader._set_items, "GLOBAL": PickleReader._name_global,
    "BINPERSID": PickleReader._point, "REDUCE": PickleReader._call, "NEWOBJ": lambda reader, given: reader._call(given, new=True),
    "BUILD": PickleReader._build_last,
}  # fmt: skip


def _are_empty(marks: tuple[Any, ...]) -> bool:
    """Whether what comes with a tensor is yes or no, and hooks and metadata that are none."""
    return all(type(each) is bool or each is None or (type(each) is dict and not each) for each in marks)
