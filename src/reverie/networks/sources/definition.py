"""One's own code: a function that gives the module which weights belong to. Only ever named by the user, never by a recipe."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from reverie.errors import InputError, UsageError, choice, unknown

_LIKE = "write it like package.module:function"


def module_of(definition: str | Callable[[], nn.Module] | nn.Module) -> nn.Module:
    """The module that a definition gives.

    Args:
        definition: `package.module:function`, imported from the working folder or from what is installed; or the function, or a module.
            The function takes no arguments. What it prints goes to stderr, and torch's random numbers go on as if it had drawn none.

    Raises:
        UsageError: no such module or function, or what it names takes arguments or gives no `nn.Module`.
        InputError: their own code raised something.
    """
    if isinstance(definition, nn.Module):
        return definition
    if not isinstance(definition, str):
        return _called(definition, getattr(definition, "__qualname__", type(definition).__name__))
    name, colon, function = definition.strip().partition(":")
    if name.endswith(".py") or "/" in name or "\\" in name:
        dotted = ".".join(Path(name.replace("\\", "/")).with_suffix("").parts)
        remedy = f"name the module, as Python imports it: {dotted}:{function or 'function'}"
        raise UsageError(f"{choice('definition', definition)} names a file", remedy)
    parts = name.split(".")
    if not colon or not all(each.isidentifier() for each in (*parts, *function.split("."))):
        raise UsageError(choice("definition", definition), _LIKE)
    with _working_folder():
        found: Any = _imported(name)
        for part in function.split("."):
            if not hasattr(found, part):
                raise unknown(f"function in '{name}' of the name", part, _callables(found), f"what it has: {_some(_callables(found))}")
            found = getattr(found, part)
        return found if isinstance(found, nn.Module) else _called(found, definition)


@contextlib.contextmanager
def _working_folder() -> Iterator[None]:
    """Inside, the working folder is where Python looks first, and what is printed is no data of ours."""
    before = list(sys.path)
    sys.path.insert(0, str(Path.cwd()))
    importlib.invalidate_caches()  # the file may have been written a moment ago
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path[:] = before


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise _no_module(name, error.name) from error
        raise InputError(
            f"'{name}' cannot be imported: {_said(error)}", f"install what it needs, or mend {name.replace('.', '/')}.py"
        ) from error
    except (Exception, SystemExit) as error:  # whatever their code does when it is imported
        raise InputError(f"'{name}' cannot be imported: {_said(error)}{_where(error)}", "it should define, and do nothing else") from error


def _no_module(name: str, missing: str) -> UsageError:
    """With the nearest file: of the working folder, or of the package that is there."""
    package, dot, _ = missing.rpartition(".")
    folder = Path.cwd().joinpath(*package.split(".")) if dot else Path.cwd()
    near: list[str] = []
    with contextlib.suppress(OSError):
        files = (each for each in folder.iterdir() if each.suffix == ".py" or (each.is_dir() and (each / "__init__.py").exists()))
        near = [package + dot + each.stem for each in files if each.stem.isidentifier()]
    here = "the working folder" if not dot else f"'{package}'"
    return unknown("module", missing, near, f"{here} has {_some(near)}; it is looked for there and in what is installed")


def _called(function: Any, name: str) -> nn.Module:
    if not callable(function):
        raise UsageError(f"'{name}' is no function, but a {type(function).__name__}", _LIKE)
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise UsageError(f"'{name}' needs arguments: {error}", "name a function that takes none, and gives the module") from error
    except ValueError:  # one written in C, of which nothing is known
        pass
    try:
        with torch.random.fork_rng(devices=[]), contextlib.redirect_stdout(sys.stderr):
            made = function()
    except (Exception, SystemExit) as error:  # whatever their code does
        raise InputError(f"'{name}' raised {_said(error)}{_where(error)}", "mend it: it is called without arguments") from error
    if not isinstance(made, nn.Module):
        raise UsageError(f"'{name}' gave a {type(made).__name__}, and no nn.Module", "let it return the module itself")
    return made


def _said(error: BaseException) -> str:
    text = (str(error).splitlines() or [""])[0][:160]
    return type(error).__name__ + (f": {text}" if text else "")


def _where(error: BaseException) -> str:
    """The innermost line of the user's own code that raised it."""
    if isinstance(error, SyntaxError):
        return ""  # it says so itself
    libraries = [Path(__file__).parent, *(Path(sysconfig.get_path(each)) for each in ("stdlib", "platstdlib", "purelib", "platlib"))]
    trace, found = error.__traceback__, ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if not file.name.startswith("<") and not any(each in file.parents for each in libraries):
            found = f" (line {trace.tb_lineno} of {file.name})"
        trace = trace.tb_next
    return found


def _callables(found: Any) -> list[str]:
    own = getattr(found, "__name__", None)
    given = (
        [name for name, each in vars(found).items() if not name.startswith("_") and callable(each)] if hasattr(found, "__dict__") else []
    )
    return sorted(given, key=lambda name: getattr(getattr(found, name), "__module__", None) != own)


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (" …" if len(names) > 6 else "") if names else "none"
