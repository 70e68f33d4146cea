"""What lies beside the weights in a checkpoint, and is only stood for: settings, numbers of NumPy, paths, dates, callbacks, optimisers.

A stand-in is the name of what a pickle would make there, and nothing else: nobody's code is imported, called or asked. A name of
something that acts (`os.system`, `builtins.eval`) is refused all the same: who writes that means harm, and the file is not to be trusted.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

_KINDS = {  # of Python's own library, those that do nothing but hold; everything else of it is refused
    "argparse": {"Namespace"},
    "builtins": {
        "object", "list", "dict", "set", "frozenset", "tuple", "int", "long", "float", "complex", "bool", "str", "unicode", "bytes",
        "bytearray", "slice", "range", "xrange", "type", "NoneType", "Ellipsis",
    },
    "_codecs": {"encode"},  # bytes, as Python 3 writes them for Python 2
    "collections": {"OrderedDict", "Counter", "defaultdict", "deque", "ChainMap", "UserDict", "UserList"},
    "copyreg": {"_reconstructor", "__newobj__", "__newobj_ex__"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "functools": {"partial"},
    "itertools": {"count"},
    "logging": {"Logger", "getLogger"},
    "pathlib": {"Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"},
    "random": {"Random"},
    "re": {"_compile"},
    "time": {"struct_time"},
    "types": {"SimpleNamespace"},
    "typing": {"Any", "Optional", "Union", "List", "Dict", "Tuple"},
    "uuid": {"UUID", "SafeUUID"},
    "zoneinfo": {"ZoneInfo", "ZoneInfo._unpickle"},
    "numpy": {"dtype", "ndarray", *(f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)), "bool_", "str_"},
    "numpy.core.multiarray": {"scalar", "_reconstruct"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy.dtypes": None,
    "numpy.random": None,
    "numpy.random._pickle": {"__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"},
    "torch.optim": None,
    "torch.nn": None,
    "torch.amp": None,
    "torch.cuda.amp": None,
    "torch.utils.data": None,
    "torch._C._nn": {"gelu"},
    "torchvision.transforms": None,
}  # fmt: skip
"""By module, the names; None is all that it and the modules within it define."""
_MOVED = {"__builtin__": "builtins", "copy_reg": "copyreg", "pathlib._local": "pathlib", "numpy._core.multiarray": "numpy.core.multiarray",
          "numpy._core.numeric": "numpy.core.numeric", "numpy.random.mtrand": "numpy.random"}  # fmt: skip
_ACTING = {
    "eval", "exec", "execfile", "compile", "open", "system", "popen", "spawn", "fork", "run", "call", "check_output", "check_call", "Popen",
    "getattr", "setattr", "delattr", "__import__", "import_module", "load", "loads", "breakpoint", "input", "globals", "locals", "vars",
    "apply", "map", "reduce", "filter", "_load_from_bytes", "remove", "unlink", "rmtree", "urlopen", "urlretrieve", "load_module",
    "exec_module", "run_code", "run_path", "attrgetter", "itemgetter", "methodcaller", "FunctionType", "CodeType", "runstring",
}  # fmt: skip
_TOOLS = {
    "pip", "setuptools", "pkg_resources", "distutils", "cloudpickle", "dill", "joblib", "sympy", "IPython", "requests", "urllib3", "httpx",
    "aiohttp", "fsspec", "paramiko", "pexpect", "psutil", "cffi", "numba", "win32api", "nt", "posix", "os", "pty", "_pickle", "commands",
}  # fmt: skip
"""Modules that do more than hold, of Python's library under other names and of others."""


@dataclass(frozen=True)
class Global:
    """A function or class that a pickle names: module and name, with a space between."""

    word: str


@dataclass
class StandIn:
    """Something that a pickle would make, by its name; `entries` are those that were set on it, where it is a dictionary of some kind.

    `is_network`: it has parts and parameters, as an `nn.Module`.
    """

    word: str
    entries: dict[Any, Any] = field(default_factory=dict, repr=False)
    is_network: bool = False


def stand_in(word: str, arguments: tuple[Any, ...]) -> StandIn:
    """For what a call would make; the usual ways to make an object name its class."""
    of_class = word.partition(" ")[0] in ("copyreg", "copy_reg") and arguments and isinstance(arguments[0], Global)
    return StandIn(arguments[0].word if of_class else word)


def may_stand(word: str) -> bool:
    """Whether a name, module and name with a space between, is of something that may lie beside weights unread."""
    module, _, name = word.partition(" ")
    module = _MOVED.get(module, module)
    parts = module.split(".")
    if not all(each.isidentifier() for each in (*parts, *name.split("."))):
        return False
    if module in _KINDS and (names := _KINDS[module]) is not None:
        return name in names
    if any(module == known or module.startswith(f"{known}.") for known, names in _KINDS.items() if names is None):
        return not set(name.split(".")) & (_ACTING | _TOOLS)
    if parts[0] in sys.stdlib_module_names:
        return False
    if parts[0] in ("torch", "numpy", "torchvision", "reverie") or set(parts) & _TOOLS:
        return False
    return not set(name.split(".")) & (_ACTING | _TOOLS)
